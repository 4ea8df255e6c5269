use crate::script::tests::trial::{fails, yields};

#[test]
fn methods_of_text_give_new_values() {
    yields(&[
        (r#"let s = "  a "; let t = s.strip(); [s, t]"#, r#"["  a ", "a"]"#),
        (r#"["  a ".lstrip(), "  a ".rstrip()]"#, r#"["a ", "  a"]"#),
        (r#"["xyaxy".strip("xy"), "xxa".lstrip("x"), "axx".rstrip('x')]"#, r#"["a", "a", "a"]"#),
        (
            r#"["ab".removeprefix("a"), "ab".removesuffix("b"), "ab".removeprefix("b")]"#,
            r#"["b", "a", "ab"]"#,
        ),
        (r#"["ab".startswith("a"), "ab".endswith("a"), "ab".startswith(["x", "a"])]"#, "[true, false, true]"),
        (
            r#"["ÄB".lower(), "äß".upper(), "hELLO wORLD-x1y".title(), "hELLO w".capitalize()]"#,
            r#"["äb", "ÄSS", "Hello World-X1Y", "Hello w"]"#,
        ),
        (
            r#"let s = "aXa"; s.replace("a", "b"); let t = s.replace("a", "bb"); [s, t]"#,
            r#"["aXa", "bbXbb"]"#,
        ),
        (
            r#"["aaa".replace("a", "b", 2), "a-b".replace('-', '+'), "ab".replace("", "-")]"#,
            r#"["bba", "a+b", "-a-b-"]"#,
        ),
        (r#"let s = "äb"; s.pad(4, '.'); s"#, r#""äb..""#),
        (r#"" a  b ".split()"#, r#"["a", "b"]"#),
        (r#""".split()"#, "[]"),
        (r#""a,b,,c".split(",")"#, r#"["a", "b", "", "c"]"#),
        (
            r#"["a,b,c".split(",", 1), "a,b".split(','), "a".split(",", 0)]"#,
            r#"[["a", "b,c"], ["a", "b"], ["a"]]"#,
        ),
        (r#""a\nb\r\n".splitlines()"#, r#"["a", "b"]"#),
        (r#"", ".join(["a", "b", 3])"#, r#""a, b, 3""#),
        (r#""".join([])"#, r#""""#),
        (r#"["7".zfill(3), "-7".zfill(3), "1234".zfill(3)]"#, r#"["007", "-07", "1234"]"#),
        (
            r#"["a".ljust(3), "a".rjust(3), "a".center(4, "*"), "äb".ljust(3, '.')]"#,
            r#"["a  ", "  a", "*a**", "äb."]"#,
        ),
        (
            r#"["äbcb".find("b"), "abc".find("x"), "äbcb".rfind("b"), "äbcb".find("b", 2), "a".find("", 1), "a".find("a", 9)]"#,
            "[1, -1, 3, 3, 1, -1]",
        ),
        (r#"["abab".count("ab"), "abc".count("x")]"#, "[2, 0]"),
        (
            r#"["12".isdigit(), "".isdigit(), "1a".isdigit(), "ä".isalpha(), "a1".isalnum(), " ".isspace()]"#,
            "[true, false, false, true, true, true]",
        ),
        (r#"["a1".islower(), "A1".isupper(), "1".isupper()]"#, "[true, true, false]"),
        (r#"["ab" * 3, 2 * "x", "x" * -1]"#, r#"["ababab", "xx", ""]"#),
    ]);
}

#[test]
fn format_shows_values_as_python_does() {
    yields(&[
        (r#""{} and {}".format(1, "a")"#, r#""1 and a""#),
        (r#""{1} {0} {1}".format([1, 2])"#, r#""2 1 2""#),
        (r#""{name}: {n:03}".format(#{name: "x", n: 7})"#, r#""x: 007""#),
        (r#""{{{}}}".format(1)"#, r#""{1}""#),
        (r#""{} {} {} {} {} {}".format(1, 2, 3, 4, 5, 6)"#, r#""1 2 3 4 5 6""#),
        (r#""{:.2f} {:.0f} {:8.3f}|{:<6}|".format(3.14159, 2.0, 1.5, "a")"#, r#""3.14 2    1.500|a     |""#),
        (r#""{:05d} {:05d} {:+d} {:,}".format(42, -42, 3, 1234567)"#, r#""00042 -0042 +3 1,234,567""#),
        (
            r#""{:x} {:X} {:#x} {:b} {:o} {:x}".format(255, 255, 255, 5, 8, -255)"#,
            r#""ff FF 0xff 101 10 -ff""#,
        ),
        (
            r#""{:>5}|{:^5}|{:*^5}|{:5}|{:.2s}".format("a", "b", "c", 1, "xyz")"#,
            r#""    a|  b  |**c**|    1|xy""#,
        ),
        (
            r#""{:e} {:.1e} {:.1%} {:,.2f}".format(1500.0, 0.015, 0.25, 1234.5)"#,
            r#""1.500000e+03 1.5e-02 25.0% 1,234.50""#,
        ),
        (r#""{} {} {}".format(true, 1.0, [1])"#, r#""true 1.0 [1]""#),
        (r#""{}".format(#{a: 1})"#, r##""#{\"a\": 1}""##),
        (r#""none".format()"#, r#""none""#),
    ]);
}

#[test]
fn errors_name_the_method() {
    fails(&[
        (r#""a".split("")"#, "split: the separator is empty: `to_chars` gives the characters"),
        (r#""a".ljust(3, "ab")"#, "ljust: the fill is one character, not `ab`"),
        (r#""{} {}".format(1)"#, "format: `{1}` needs more than the 1 values given"),
        (r#""{x}".format(#{a: 1})"#, "format: no value for `{x}`"),
        (r#""{".format(1)"#, "format: a single `{` in the template: write it twice"),
        (r#""}".format(1)"#, "format: a single `}` in the template: write it twice"),
        (r#""{:q}".format(1)"#, "format: bad format `q`"),
        (r#""{:.f}".format(1)"#, "format: bad format `.f`"),
        (r#""{:.101f}".format(1.0)"#, "format: bad format `.101f`"),
        (r#""{:99999999999999999999}".format(1)"#, "format: bad format `99999999999999999999`"),
        (r#""{:d}".format("a")"#, "format: `d` does not show a value of type `string`"),
        (r#""{:d}".format(1.5)"#, "format: `d` does not show a value of type `f64`"),
    ]);
}

#[test]
fn results_beyond_the_limit_are_errors() {
    let too_long = |name: &str| format!("{name}: the result is longer than 8388608 bytes");
    fails(&[
        (r#"let s = "a".ljust(4000000, "a"); s.replace("a", s)"#, &too_long("replace")),
        (r#""".replace("", "x".ljust(8000000)); "a".replace("", "x".ljust(5000000))"#, &too_long("replace")),
        (r#"let s = "a".ljust(4000000); s.join(["", "", "", ""])"#, &too_long("join")),
        (r#""a".ljust(8388609)"#, &too_long("ljust")),
        (r#""a".rjust(9223372036854775807, "ä")"#, &too_long("rjust")),
        (r#""a".zfill(9223372036854775807)"#, &too_long("zfill")),
        (r#""a" * 8388609"#, &too_long("*")),
        (r#""ab" * 9223372036854775807"#, &too_long("*")),
        (r#""{:18446744073709551615}".format(1)"#, &too_long("format")),
        (r#"let s = "a".ljust(3000000); "{0}{0}{0}".format(s)"#, &too_long("format")),
        (r#""a".ljust(600000).split(" ")"#, "split: the result has more than 524288 items"),
        (r#"("a\n" * 600000).splitlines()"#, "splitlines: the result has more than 524288 items"),
    ]);
}
