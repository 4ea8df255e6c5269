use crate::script::tests::trial::{fails, yields};

#[test]
fn constants_and_conversions_have_pythons_names() {
    yields(&[
        (
            "[1 in [1.0], 2 in [1], \"a\" in ['a'], () in [()], [1] in [2, [1]], #{ a: 1 } in [#{ a: 1 }]]",
            "[true, false, true, true, true, true]",
        ),
        (
            "let l = json.loads(\"[1, [2], 3]\"); [3 in l, [2] in l, l.contains(4), random.choice(l.filter(|x| x == 3))]",
            "[true, true, false, 3]",
        ),
        ("[0..3 in [0..3], 0..=3 in [0..3], [0..3].contains(0..4)]", "[true, false, false]"),
        ("[None, True, False]", "[(), true, false]"),
        ("[None == (), True == true]", "[true, true]"),
        (
            "[str(1), str(1.0), str(\"a\"), str(true), str([\"a\", 1]), str('c')]",
            r#"["1", "1.0", "a", "true", "[\"a\", 1]", "c"]"#,
        ),
        ("[int(\" 12 \"), int(-1.9), int(true), int(7), int(\"ff\", 16)]", "[12, -1, 1, 7, 255]"),
        ("[float(\"1.5\"), float(2), float(\"1e3\"), float(false)]", "[1.5, 2.0, 1000.0, 0.0]"),
        (
            "[bool(0), bool(\"\"), bool([]), bool(#{}), bool(()), bool(0.0), bool(blob())]",
            "[false, false, false, false, false, false, false]",
        ),
        ("[bool(1), bool(\"0\"), bool([0]), bool(#{a: 1}), bool('a')]", "[true, true, true, true, true]"),
        (
            "[round(2.675, 2), round(3), round(2.5), round(1234.5, -2), round(1.0, 400)]",
            "[2.67, 3, 3.0, 1200.0, 1.0]",
        ),
        ("[len(\"äb\"), len([1]), len(#{a: 1}), abs(-1)]", "[2, 1, 1, 1]"),
    ]);
}

#[test]
fn functions_of_lists_give_new_values() {
    yields(&[
        ("let a = [3, 1.5, 2]; [sorted(a), a]", "[[1.5, 2, 3], [3, 1.5, 2]]"),
        ("sorted([\"b\", \"a\"])", r#"["a", "b"]"#),
        ("sorted([[2, \"a\"], [1, \"b\"], [1]])", r#"[[1], [1, "b"], [2, "a"]]"#),
        ("sorted([#{n: 2}, #{n: 1}], |x| x.n)", r##"[#{"n": 1}, #{"n": 2}]"##),
        ("sorted(#{b: 1, a: 2})", r#"["a", "b"]"#),
        (
            "sorted([9007199254740993, 9007199254740992.0, 9007199254740992])",
            "[9007199254740992.0, 9007199254740992, 9007199254740993]",
        ),
        ("[reversed([1, 2]), reversed(\"äb\")]", r#"[[2, 1], "bä"]"#),
        ("[sum([]), sum([1, 2]), sum([1, 2.5])]", "[0, 3, 3.5]"),
        (
            "[min([2, 1, 3]), max([2, 3.5]), max(\"a\", \"b\"), min(1, 2), max([\"a\"])]",
            r#"[1, 3.5, "b", 1, "a"]"#,
        ),
        (
            "[any([0, 1]), any([]), all([1, \"\"]), all([]), [1, 2].all(|x| x > 0)]",
            "[true, false, false, true, true]",
        ),
        (
            "let s = []; for pair in enumerate([\"a\", \"b\"]) { s.append(pair); } s",
            r#"[[0, "a"], [1, "b"]]"#,
        ),
        ("enumerate([\"a\"], 1)", r#"[[1, "a"]]"#),
        ("let n = 0; for i in range(4) { n += i; } n", "6"),
        ("let n = 0; for i in range(1, 4) { n += i; } n", "6"),
    ]);
}

#[test]
fn lists_and_maps_have_pythons_methods() {
    yields(&[
        ("let a = [1]; a.append(2); a.append([3]); a.extend([4]); a", "[1, 2, [3], 4]"),
        ("[[1, 2.0, \"a\"].index(2), [[1], [2]].index([2]), [1, 1.0, 2].count(1)]", "[1, 1, 2]"),
        ("let m = #{a: 1}; [m.get(\"a\"), m.get(\"b\"), m.get(\"b\", 2), m.get(\"a\", 2)]", "[1, (), 2, 1]"),
        ("let m = #{b: 1, a: [2]}; m.items()", r#"[["a", [2]], ["b", 1]]"#),
        ("let m = #{a: 1, b: 2}; [m.pop(\"a\"), m.pop(\"a\", 7), m]", r##"[1, 7, #{"b": 2}]"##),
        ("let m = #{}; [m.setdefault(\"a\", 1), m.setdefault(\"a\", 2), m]", r##"[1, 1, #{"a": 1}]"##),
        (
            "let m = #{a: 1}; let c = m.copy(); m.update(#{b: 2}); [m, c]",
            r##"[#{"a": 1, "b": 2}, #{"a": 1}]"##,
        ),
        ("let a = [1]; let b = a.copy(); b.append(2); a", "[1]"),
        ("let a = [1, 2]; a.insert(-9, 0); a.insert(9, 3); a.insert(-1, 5); a", "[0, 1, 2, 5, 3]"),
        (
            "[[9223372036854775807].contains(9223372036854775808.0), [#{ a: 1 }].contains(#{ a: 1, b: 2 })]",
            "[false, false]",
        ),
    ]);
}

/// The expected results are those of Python 3, with lists in place of tuples.
#[test]
fn items_and_characters_have_pythons_results() {
    yields(&[
        ("zip([1, 2], [\"a\", \"b\", \"c\"])", r#"[[1, "a"], [2, "b"]]"#),
        ("zip([1], [2], [3])", "[[1, 2, 3]]"),
        ("zip([1, 2], \"ab\", [3, 4], [5, 6])", r#"[[1, "a", 3, 5], [2, "b", 4, 6]]"#),
        ("zip([], [1])", "[]"),
        ("zip(\"ab\", \"xy\")", r#"[["a", "x"], ["b", "y"]]"#),
        (
            "let l = json.loads(\"[1, 2]\"); [zip(l, l), zip(l, [3, 4], l)]",
            "[[[1, 1], [2, 2]], [[1, 3, 1], [2, 4, 2]]]",
        ),
        ("[1, 2].zip([3, 4], |a, b| a + b)", "[4, 6]"),
        ("let l = json.loads(\"[1, 2]\"); l.zip([3, 4], |a, b| a + b)", "[4, 6]"),
        ("dict(zip([\"b\", \"a\"], [1, 2]))", r##"#{"a": 2, "b": 1}"##),
        ("dict([[\"a\", 1], [\"a\", 2]])", r##"#{"a": 2}"##),
        ("[dict(#{a: 1}), dict()]", r##"[#{"a": 1}, #{}]"##),
        (
            "[list(\"äb\"), list(#{b: 1, a: 2}), list(range(3)), list([1]), list(bytes([7])), list()]",
            r#"[["ä", "b"], ["a", "b"], [0, 1, 2], [1], [7], []]"#,
        ),
        ("list(json.loads(`{\"b\": 1, \"a\": 2}`))", r#"["b", "a"]"#),
        (
            "[chr(97), chr(8364), chr(0x1f600), ord(\"a\"), ord(\"€\"), ord('b'), ord(chr(128512))]",
            r#"["a", "€", "😀", 97, 8364, 98, 128512]"#,
        ),
    ]);
}

#[test]
fn errors_name_the_function() {
    fails(&[
        ("chr(-1)", "chr: -1 is the number of no character"),
        ("chr(1114112)", "chr: 1114112 is the number of no character"),
        ("ord(\"\")", "ord: needs one character, not 0"),
        ("ord(\"ab\")", "ord: needs one character, not 2"),
        ("zip(1, [2])", "zip: needs a list, a map, text or bytes, not i64"),
        ("list(1)", "list: needs a list, a map, text or bytes, not i64"),
        ("list(range(0, 9000000))", "list: the result has more than 524288 items"),
        ("dict([[\"a\", 1, 2]])", "dict: needs a list of pairs `[key, value]` whose keys are text"),
        ("dict([1])", "dict: needs a list of pairs `[key, value]` whose keys are text"),
        ("int(\"x1\")", "int: `x1` is no whole number of base 10 in 64 bits"),
        (
            "int(\"9223372036854775808\")",
            "int: `9223372036854775808` is no whole number of base 10 in 64 bits",
        ),
        ("int(1e300)", &format!("int: {} does not fit into 64 bits", 1e300)),
        ("int(9223372036854775808.0)", "int: 9223372036854776000 does not fit into 64 bits"),
        ("int([])", "int: needs a number or text, not `array`"),
        ("int(\"1\", 99)", "int: the base is 2 to 36, not 99"),
        ("float(\"x\")", "float: `x` is no number"),
        ("float([])", "float: needs a number or text, not `array`"),
        ("sorted([1, \"a\"])", "sorted: `string` and `i64` can't be compared"),
        ("sorted([#{}, #{}])", "sorted: `map` and `map` can't be compared"),
        ("min([])", "min: the list is empty"),
        ("max([1, ()])", "max: `()` and `i64` can't be compared"),
        ("sum([\"a\"])", "sum: needs numbers, not `string`"),
        ("sum([9223372036854775807, 1])", "sum: the result does not fit into 64 bits"),
        ("[1].index(2)", "index: `2` is not in the list"),
        ("#{}.pop(\"a\")", "pop: no key `a`: `pop(key, default)` gives a default"),
        (
            "let a = []; a.pad(400000, 0); a.extend(a); enumerate(a)",
            "enumerate: the result has more than 524288 items",
        ),
    ]);
}

#[test]
fn words_that_rhai_reserves_are_names() {
    yields(&[
        (
            "let m = #{default: 1}; m.new = m.default; m.match = 2; debug(\"x\"); [m.new, m[\"match\"]]",
            "[1, 2]",
        ),
        ("logging.debug(\"x\"); re.match(\"a\", \"ab\").group()", "\"a\""),
    ]);
}

#[test]
fn reading_methods_take_constants_of_a_function() {
    yields(&[
        (
            "const L = [3, 1, 2]; [L.extract(1), L.extract(1, 1), L.extract(0..2), L.extract(1..=9), L.extract(-2)]",
            "[[1, 2], [1], [3, 1], [1, 2], [1, 2]]",
        ),
        ("const L = [3, 1, 2]; [L.get(0), L.get(-1), L.get(-3), L.get(3), L.get(-4)]", "[3, 2, 3, (), ()]"),
        ("const L = [3, 1, 2]; [L.order(), L.order_desc(), L]", "[[1, 2, 3], [3, 2, 1], [3, 1, 2]]"),
        (
            "const B = \"abc\".encode(); [B.extract(1).decode(), B.extract(0, 2).decode(), B.extract(1..9).decode()]",
            "[\"bc\", \"ab\", \"bc\"]",
        ),
        (
            "const S = \" a,b \"; [S.split(\",\"), S.strip(), S.upper(), S.len()]",
            "[[\" a\", \"b \"], \"a,b\", \" A,B \", 5]",
        ),
    ]);
}
