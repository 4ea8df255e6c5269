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

/// The expected results are those of Python 3.
#[test]
fn methods_of_text_have_pythons_results() {
    yields(&[
        (r#""banana".find("an",2)"#, r#"3"#),
        (r#""banana".find("an",-3)"#, r#"3"#),
        (r#""banana".find("an",2,4)"#, r#"-1"#),
        (r#""banana".find("",6)"#, r#"6"#),
        (r#""banana".find("",7)"#, r#"-1"#),
        (r#""äbäb".find("b",2)"#, r#"3"#),
        (r#""banana".find("an",-99,-3)"#, r#"1"#),
        (r#""banana".find("a",4,2)"#, r#"-1"#),
        (r#""banana".rfind("an",0,4)"#, r#"1"#),
        (r#""banana".rfind("a",-2)"#, r#"5"#),
        (r#""banana".rfind("")"#, r#"6"#),
        (r#""banana".index("n")"#, r#"2"#),
        (r#""banana".index("n",3)"#, r#"4"#),
        (r#""banana".rindex("n")"#, r#"4"#),
        (r#""banana".rindex("n",0,3)"#, r#"2"#),
        (r#""banana".count("a",2)"#, r#"2"#),
        (r#""banana".count("a",2,5)"#, r#"1"#),
        (r#""abc".count("")"#, r#"4"#),
        (r#""".count("")"#, r#"1"#),
        (r#""abc".count("",9)"#, r#"0"#),
        (r#""banana".startswith("an",1)"#, r#"true"#),
        (r#""banana".startswith("an",1,2)"#, r#"false"#),
        (r#""banana".endswith("na",4)"#, r#"true"#),
        (r#""banana".endswith("an",0,-1)"#, r#"true"#),
        (r#""a=b=c".partition("=")"#, r#"["a", "=", "b=c"]"#),
        (r#""a=b=c".rpartition("=")"#, r#"["a=b", "=", "c"]"#),
        (r#""abc".partition("=")"#, r#"["abc", "", ""]"#),
        (r#""abc".rpartition("=")"#, r#"["", "", "abc"]"#),
        (r#""".partition("=")"#, r#"["", "", ""]"#),
        (r#""=b".partition("=")"#, r#"["", "=", "b"]"#),
        (r#""b=".rpartition("=")"#, r#"["b", "=", ""]"#),
        (r#""a,b,c".rsplit(",",1)"#, r#"["a,b", "c"]"#),
        (r#""a,b,c".rsplit(",")"#, r#"["a", "b", "c"]"#),
        (r#""a,b,c".rsplit(",",0)"#, r#"["a,b,c"]"#),
        (r#"" a  b c ".rsplit()"#, r#"["a", "b", "c"]"#),
        (r#"" a  b c ".rsplit((),1)"#, r#"[" a  b", "c"]"#),
        (r#"" a  b c ".split((),1)"#, r#"["a", "b c "]"#),
        (r#"" a  b c ".split((),0)"#, r#"["a  b c "]"#),
        (r#"" a  b c ".rsplit((),0)"#, r#"[" a  b c"]"#),
        (r#""a".split((),3)"#, r#"["a"]"#),
        (r#""".split((),1)"#, r#"[]"#),
        (r#""a b  c".split((),-1)"#, r#"["a", "b", "c"]"#),
        (r#""a\nb\r\nc\rd".splitlines()"#, r#"["a", "b", "c", "d"]"#),
        (r#""a\n\nb\n".splitlines()"#, r#"["a", "", "b"]"#),
        (r#""a\nb\r\n".splitlines(true)"#, r#"["a\n", "b\r\n"]"#),
        (r#""".splitlines()"#, r#"[]"#),
        (r#""\n".splitlines()"#, r#"[""]"#),
        (r#""a\x0bb\x0cc\x1cd".splitlines()"#, r#"["a", "b", "c", "d"]"#),
        (r#""a\u2028b\u0085c".splitlines()"#, r#"["a", "b", "c"]"#),
        (r#""aBß1".swapcase()"#, r#""AbSS1""#),
        (r#""ÄBẞß".casefold()"#, r#""äbssss""#),
        (r#""ΣΑΣ".casefold()"#, r#""σασ""#),
        (r#""ﬁﬀ".casefold()"#, r#""fiff""#),
        (r#""12".isdecimal()"#, r#"true"#),
        (r#""1a".isdecimal()"#, r#"false"#),
        (r#""".isdecimal()"#, r#"false"#),
        (r#""½".isnumeric()"#, r#"true"#),
        (r#""a½".isnumeric()"#, r#"false"#),
        (r#""ab".isascii()"#, r#"true"#),
        (r#""ä".isascii()"#, r#"false"#),
        (r#""".isascii()"#, r#"true"#),
        (r#""\x1c a\x1f".strip()"#, r#""a""#),
        (r#""a\x1cb".split()"#, r#"["a", "b"]"#),
        (r#""\x1f".isspace()"#, r#"true"#),
        (r#""they're 2nd x-ray".title()"#, r#""They'Re 2Nd X-Ray""#),
        (r#""ab cD".capitalize()"#, r#""Ab cd""#),
        (r#""-5".zfill(5)"#, r#""-0005""#),
        (r#""+5".zfill(3)"#, r#""+05""#),
        (r#""--5".zfill(5)"#, r#""-00-5""#),
        (r#""".zfill(2)"#, r#""00""#),
        (r#""aXbX".removesuffix("X")"#, r#""aXb""#),
        (r#""aXbX".removeprefix("a")"#, r#""XbX""#),
        (r#""Hello".lower()"#, r#""hello""#),
        (r#""ab".center(5,"*")"#, r#""**ab*""#),
        (r#""abc".center(6,"*")"#, r#""*abc**""#),
        (r#""ab".center(7)"#, r#""   ab  ""#),
        (r#""abc".replace("","-",2)"#, r#""-a-bc""#),
        (r#""aaa".replace("a","b",0)"#, r#""aaa""#),
        (r#""aaa".replace("aa","b")"#, r#""ba""#),
        (r#""xxaxx".strip("x")"#, r#""a""#),
        (r#""abc".isalpha()"#, r#"true"#),
        (r#""ab1".isalnum()"#, r#"true"#),
        (r#""a b".isalpha()"#, r#"false"#),
        (r#""Ab".islower()"#, r#"false"#),
        (r#""a1".islower()"#, r#"true"#),
        (r#""A1".isupper()"#, r#"true"#),
    ]);
}

#[test]
fn sets_of_characters_have_pythons_names() {
    yields(&[
        ("string.ascii_lowercase + string.digits", r#""abcdefghijklmnopqrstuvwxyz0123456789""#),
        ("string.ascii_letters.len() - 2 * string.ascii_uppercase.len()", "0"),
        ("[string.hexdigits, string.punctuation.len()]", r#"["0123456789abcdefABCDEF", 32]"#),
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
        (r#"["{:*>05}".format(7), "{:05}".format(7)]"#, r#"["****7", "00007"]"#),
        (r#"["{:.100f}".format(1.0).len(), ("%.100f" % 1.0).len()]"#, "[102, 102]"),
        (r#""%.*f" % [-1, 2.4]"#, r#""2""#),
    ]);
}

#[test]
fn errors_name_the_method() {
    fails(&[
        (r#""a".split("")"#, "split: the separator is empty: `to_chars` gives the characters"),
        (r#""abc".index("x")"#, "index: substring not found; `find` gives -1 for one that is not there"),
        (
            r#""abc".rindex("a", 1)"#,
            "rindex: substring not found; `rfind` gives -1 for one that is not there",
        ),
        (r#""a".rsplit("")"#, "rsplit: the separator is empty: `to_chars` gives the characters"),
        (r#""a".partition("")"#, "partition: the separator is empty"),
        (r#""a".rpartition("")"#, "rpartition: the separator is empty"),
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
