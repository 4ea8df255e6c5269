//! The expected results are recorded from Python 3.

use crate::script::tests::trial::{engine, fails, yields};
use rhai::Scope;

/// Rows of input, encoding, error mode and Python's result. Bytes are hexadecimal digits; an error is `! ` and its text.
const RECORDED: &str = include_str!("recorded.json");

fn recorded(method: &str) -> Vec<[String; 4]> {
    let rows = serde_json::from_str::<serde_json::Value>(RECORDED).unwrap()[method].take();
    serde_json::from_value(rows).unwrap()
}

/// Runs `script` with the variables `given`, `encoding` and `mode` of each row. Of an error, only Python's part is compared.
fn answers_as_recorded(method: &str, script: &str) {
    let engine = engine();
    for [given, encoding, mode, expected] in recorded(method) {
        let mut scope = Scope::new();
        scope.push("given", given.clone()).push("encoding", encoding.clone()).push("mode", mode.clone());
        let text = engine.eval_with_scope::<String>(&mut scope, script).unwrap_or_else(|error| {
            let error = error.unwrap_inner().to_string();
            let start = error.find(": '").map_or(0, |at| at + 2);
            format!("! {}", error[start..].split("; ").next().unwrap_or_default())
        });
        assert_eq!(text, expected, "{given} {encoding} {mode}");
    }
}

#[test]
fn bytes_become_text_as_in_python() {
    answers_as_recorded("decode", "bytes.fromhex(given).decode(encoding, mode)");
}

#[test]
fn text_becomes_bytes_as_in_python() {
    answers_as_recorded("encode", "given.encode(encoding, mode).hex()");
}

#[test]
fn methods_of_bytes_have_pythons_results() {
    yields(&[
        (r#"let l = []; for x in bytes.fromhex("6162ff") { l.push(x); } l"#, r#"[97, 98, 255]"#),
        (r#"let n = 0; for x in "ab".encode() { n += x; } n"#, r#"195"#),
        (r#"97 in "abc".encode()"#, r#"true"#),
        (r#"100 in "abc".encode()"#, r#"false"#),
        (r#""bc" in "abc".encode()"#, r#"true"#),
        (r#""cb".encode() in "abc".encode()"#, r#"false"#),
        (r#""" in bytes()"#, r#"true"#),
        (r#""x" !in "abc".encode()"#, r#"true"#),
        (r#"bytes.fromhex("00ff6141").hex()"#, r#""00ff6141""#),
        (r#"bytes.fromhex("00ff6141").hex(":")"#, r#""00:ff:61:41""#),
        (r#"bytes().hex()"#, r#""""#),
        (r#"bytes.fromhex("00 fF\n61").hex()"#, r#""00ff61""#),
        (r#"bytes.fromhex("").hex()"#, r#""""#),
        (r#"bytes([1, 255]).hex()"#, r#""01ff""#),
        (r#"bytes(3).hex()"#, r#""000000""#),
        (r#"bytes("ä", "latin-1").hex()"#, r#""e4""#),
        (r#""abc".encode()[1]"#, r#"98"#),
        (r#""abc".encode()[-1]"#, r#"99"#),
        (r#""abc".encode() == "abc""#, r#"false"#),
        (r#""abc".encode() == "abc".encode()"#, r#"true"#),
        (r#"("ab".encode() + "c".encode()).decode()"#, r#""abc""#),
        (r#"len(bytes.fromhex("61ff"))"#, r#"2"#),
        (r#""%PDF-1".encode().startswith("%PDF")"#, r#"true"#),
        (r#""ab".encode().startswith(["x", "a"])"#, r#"true"#),
        (r#""ab".encode().endswith("b")"#, r#"true"#),
        (r#""ab".encode().endswith(["a"])"#, r#"false"#),
        (r#""banana".encode().find("an")"#, r#"1"#),
        (r#"bytes.fromhex("ffff616e").find("an")"#, r#"2"#),
        (r#""banana".encode().rfind("an")"#, r#"3"#),
        (r#""banana".encode().find("x")"#, r#"-1"#),
        (r#""banana".encode().find(110)"#, r#"2"#),
        (r#""banana".encode().count("an")"#, r#"2"#),
        (r#"bytes.fromhex("ffff").count(255)"#, r#"2"#),
        (r#""ab".encode().count("")"#, r#"3"#),
        (r#"bytes.fromhex("61ff2c622c").split(",").map(|p| p.hex())"#, r#"["61ff", "62", ""]"#),
        (r#""a,b,c".encode().split(",", 1).map(|p| p.hex())"#, r#"["61", "622c63"]"#),
        (r#"" a\t b\x0b\n".encode().split().map(|p| p.hex())"#, r#"["61", "62"]"#),
        (r#"bytes.fromhex("0b2061a020").strip().hex()"#, r#""61a0""#),
        (r#""xxaxy".encode().strip("xy").hex()"#, r#""61""#),
        (r#""aaa".encode().replace("a", bytes.fromhex("62ff")).hex()"#, r#""62ff62ff62ff""#),
        (r#""ab".encode().replace("", "-").decode()"#, r#""-a-b-""#),
        (r#"", ".encode().join(["a".encode(), "b".encode()]).decode()"#, r#""a, b""#),
        (r#"bytes.fromhex("6142e4").upper().hex()"#, r#""4142e4""#),
        (r#"bytes.fromhex("6142c4").lower().hex()"#, r#""6162c4""#),
    ]);
}

#[test]
fn text_stands_for_its_bytes_and_defaults_are_utf_8() {
    yields(&[
        (r#"["ä".encode(), "a".encode("utf-8"), "ä".encode("Latin_1")]"#, "[[c3a4], [61], [e4]]"),
        (r#""ä".encode().decode() + blob(1, 65).decode("UTF-8")"#, r#""äA""#),
        (r#"['a' in "ab".encode(), "ä" in "xäx".encode()]"#, "[true, true]"),
        ("let b = blob(); for (x, i) in bytes([7, 8]) { b.push(x + i); } b", "[0709]"),
    ]);
}

#[test]
fn errors_name_the_byte_and_say_what_to_write() {
    let too_long = |name: &str| format!("{name}: the result is longer than 8388608 bytes");
    fails(&[
        (
            "blob(1, 255).decode()",
            r#"decode: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte; a second argument shows it: `"replace"`, `"backslashreplace"`"#,
        ),
        (
            r#""aä".encode("ascii")"#,
            r#"encode: 'ascii' codec can't encode character '\xe4' in position 1: ordinal not in range(128); `"utf-8"` has every character"#,
        ),
        (
            r#""a".encode("cp1252")"#,
            "encode: unknown encoding `cp1252`: there are `utf-8`, `utf-8-sig`, `ascii` and `latin-1`",
        ),
        (
            r#"bytes().decode("utf-8", "xmlcharrefreplace")"#,
            "decode: unknown error mode `xmlcharrefreplace`: there are `strict`, `ignore`, `replace` and `backslashreplace`",
        ),
        (
            r#""a".encode("ascii", "lax")"#,
            "encode: unknown error mode `lax`: there are `strict`, `ignore`, `replace`, `backslashreplace` and `xmlcharrefreplace`",
        ),
        (r#"bytes.fromhex("0g")"#, "bytes.fromhex: `g` at 1 is no hexadecimal digit"),
        (r#"bytes.fromhex("0 0")"#, "bytes.fromhex: ` ` at 1 is no hexadecimal digit"),
        (r#"bytes.fromhex("000")"#, "bytes.fromhex: a byte has two digits, the last one has one"),
        (r#"300 in "a".encode()"#, "in: a byte is 0 to 255, not 300"),
        (r#"() in "a".encode()"#, "in: needs bytes or text, not ()"),
        ("bytes([1, 256])", "bytes: a byte is 0 to 255, not 256"),
        (r#"bytes(["a"])"#, "bytes: a byte is 0 to 255, not string"),
        ("bytes(-1)", "bytes: -1 is no number of bytes"),
        (r#""a".encode().split("")"#, "split: the separator is empty"),
        (
            r#""a".encode() + "b""#,
            "`+` has bytes and text: `b + s.encode()` gives bytes, `b.decode() + s` gives text",
        ),
        (
            r#""a" + "b".encode()"#,
            "`+` has bytes and text: `b + s.encode()` gives bytes, `b.decode() + s` gives text",
        ),
        ("bytes(9223372036854775807)", &too_long("bytes")),
        ("bytes(5000000).hex()", &too_long("hex")),
        (r#"blob(3000000, 255).decode("utf-8", "backslashreplace")"#, &too_long("decode")),
        (r#"blob(5000000, 255).decode("latin-1")"#, &too_long("decode")),
        (r#"("€" * 2000000).encode("ascii", "xmlcharrefreplace")"#, &too_long("encode")),
        (r#"let b = bytes(10000); b.replace(bytes(1), b)"#, &too_long("replace")),
        (r#"bytes(600000).split(bytes(1))"#, "split: the result has more than 524288 items"),
    ]);
}
