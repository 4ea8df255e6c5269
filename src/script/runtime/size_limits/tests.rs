use super::{MAX_ITEMS, Text, collect, text_of};
use crate::script::tests::trial::{engine, fails, yields};
use rhai::{Dynamic, Map};

/// A map of 500 references to one text of 8 MB: 4 GB as text.
const LARGE: &str = r#"let s = "a".ljust(8000000); let m = #{}; for i in range(500) { m[`${i}`] = s; }"#;

#[test]
fn lists_and_maps_are_shown_in_rhais_notation() {
    yields(&[
        (
            r#"[1, 2.0, "a", 'c', (), true, #{k: [1]}].to_string()"#,
            r##""[1, 2.0, \"a\", 'c', (), true, #{\"k\": [1]}]""##,
        ),
        (r#"#{}.to_string() + [] + "x""#, r##""#{}[]x""##),
        (r#"[1] + "x" + [2]"#, r#""[1]x[2]""#),
        (r#"let s = "a"; s += [1]; s.append(#{a: 1}); s"#, r##""a[1]#{\"a\": 1}""##),
        (r#"`${[1, "a"]}`"#, r#""[1, \"a\"]""#),
        (r#"let f = |x| x; [f].to_string().startswith("[Fn(")"#, "true"),
        (r#"[json, status].to_string()"#, r#""[json, status]""#),
        (r#"[blob(2, 1)].to_string()"#, r#""[[0101]]""#),
    ]);
}

#[test]
fn texts_and_whole_numbers_are_joined() {
    yields(&[
        (r#""a" + 7 + -1"#, r#""a7-1""#),
        (r#"7 + "a""#, r#""7a""#),
        (r#"let s = "a"; let t = s; s += 7; [s, t, "" + 0]"#, r#"["a7", "a", "0"]"#),
    ]);
}

#[test]
fn a_large_map_as_text_is_an_error_or_truncated() {
    let too_long = |name: &str| format!("{name}: the result is longer than 8388608 bytes");
    for (script, expected) in [
        ("print(m)", too_long("print")),
        ("debug(m)", too_long("debug")),
        ("\"x\" + m", too_long("+")),
        ("m + \"x\"", too_long("+")),
        ("let t = \"x\"; t += m", too_long("+=")),
        ("str(m)", too_long("str")),
        ("m.to_json()", too_long("to_json")),
        ("json.dumps(m)", too_long("json.dumps")),
        ("\",\".join(m.values())", too_long("join")),
    ] {
        fails(&[(&format!("{LARGE} {script}"), &expected)]);
    }
    for script in ["`${m}`", "[m].to_string()", "m.to_debug()"] {
        let cut = engine().eval::<String>(&format!("{LARGE} {script}")).unwrap();
        assert!(cut.len() <= 8 << 20 && cut.ends_with("..."), "{script}: {}", cut.len());
    }
}

#[test]
fn padding_ends_and_has_a_limit() {
    yields(&[
        (r#"let s = "a"; s.pad(3, ""); s"#, r#""a""#),
        (r#"let s = "a"; s.pad(6, "xy"); s"#, r#""axyxyx""#),
        (r#"let s = "a"; s.pad(-1, 'x'); s"#, r#""a""#),
        (r#"let a = [1]; a.pad(3, 0); a.pad(1, 0); a.pad(-1, 0); a"#, "[1, 0, 0]"),
        (r#""a,b,c".split_rev(",", 2)"#, r#"["c", "a,b"]"#),
        (r#"["a,b".split_rev(','), "ab".to_chars()]"#, r#"[["b", "a"], ['a', 'b']]"#),
    ]);
    fails(&[
        (r#"let s = "a"; s.pad(9000000, 'x')"#, "pad: the result is longer than 8388608 bytes"),
        (r#"let s = "a"; s.pad(8000000, "ä")"#, "pad: the result is longer than 8388608 bytes"),
        ("let a = []; a.pad(9000000, 0)", "pad: the result has more than 524288 items"),
        (
            "let x = [1, 2, 3, 4, 5, 6, 7]; let a = []; a.pad(2305843009213693952, x)",
            "pad: the result has more than 524288 items",
        ),
        (r#"("a" * 600000).to_chars()"#, "to_chars: the result has more than 524288 items"),
        ("blob(600000).to_array()", "to_array: the result has more than 524288 items"),
        (r#"("," * 600000).split_rev(",")"#, "split_rev: the result has more than 524288 items"),
        ("blob(9000000)", "blob: the result is longer than 8388608 bytes"),
        ("blob(1152921504606846976, 7)", "blob: the result is longer than 8388608 bytes"),
        ("let b = blob(); b.pad(1152921504606846976, 0)", "pad: the result is longer than 8388608 bytes"),
    ]);
}

#[test]
fn a_result_several_times_as_large_has_a_limit() {
    yields(&[
        ("[blob(-1), blob(2), blob(2, 513)]", "[[], [0000], [0101]]"),
        ("let b = blob(1, 65); b.pad(3, 322); b.pad(1, 0); b.as_string()", r#""ABB""#),
        (r#"let s = "ab"; s += blob(1, 67); s.append(blob(1, 255)); s"#, "\"abC\u{fffd}\""),
        (r#"let s = "aä"; s.make_upper(); [s, "ß".to_upper(), "ß".upper()]"#, r#"["AÄ", "SS", "SS"]"#),
        ("[1, [2]] + [] + [3]", "[1, [2], 3]"),
        (r#"("a\"\n").to_debug().len()"#, "7"),
    ]);
    let too_long = |name: &str| format!("{name}: the result is longer than 8388608 bytes");
    let no_room = |name: &str| format!("{name}: the result does not fit into the memory of the script");
    fails(&[
        (r#"("\u0001" * 3000000).to_debug()"#, &too_long("to_debug")),
        (r#"debug("\u0001" * 3000000)"#, &too_long("debug")),
        ("blob(8388608, 255).as_string()", &too_long("as_string")),
        (r#"let s = ""; s += blob(8388608, 255)"#, &too_long("as_string")),
        (r#"let s = "ä" * 4000000; (s + s).upper()"#, &no_room("upper")),
        ("let l = list(range(500000)); l += l; l += l; l + l", &no_room("+")),
    ]);
}

#[test]
fn parts_of_texts_are_the_same_as_those_of_rhai() {
    let (own, ours) = (rhai::Engine::new(), engine());
    for text in ["", "a", "hello", "häßlich", "日本語 text"] {
        for start in -9..9 {
            for length in -1..9 {
                for call in ["(START)", "(START, LENGTH)", "(START..LENGTH)", "(START..=LENGTH)"] {
                    let call =
                        call.replace("START", &start.to_string()).replace("LENGTH", &length.to_string());
                    let script =
                        format!("let s = `{text}`; let p = s.sub_string{call}; s.crop{call}; p + `|` + s");
                    let expected = own.eval::<String>(&script).unwrap();
                    assert_eq!(ours.eval::<String>(&script).unwrap(), expected, "{script}");
                }
            }
        }
    }
}

#[test]
fn texts_for_logs_are_truncated_between_characters() {
    let list: Dynamic = vec!["ä".repeat(100).into(), Dynamic::from(1_i64)].into();
    assert_eq!(text_of(&list, 10), "[\"ää...");
    assert_eq!(text_of(&"abc".into(), 10), "abc");
    assert_eq!(text_of(&Dynamic::from(crate::script::python::json::Json), 10), "Json");
    let map: Map = [("k".into(), Dynamic::from(1.5))].into_iter().collect();
    assert_eq!(text_of(&map.into(), 100), "#{\"k\": 1.5}");
}

#[test]
fn a_text_does_not_grow_beyond_its_limit() {
    let mut text = Text::with_limit(4);
    assert!(text.push("x", "abc").is_ok());
    assert!(text.repeat("x", "ab", usize::MAX).is_err());
    assert!(text.push("x", "de").is_err());
    assert_eq!(text.truncated(), "a...");
}

#[test]
fn a_result_may_reach_its_limit_exactly() {
    let mut text = Text::with_limit(6);
    assert!(text.push("x", "ab").is_ok() && text.repeat("x", "cd", 2).is_ok());
    assert_eq!(text.finish(), "abcdcd");
    let items = |count| collect("x", (0..count).map(|_| Dynamic::UNIT));
    assert_eq!(items(MAX_ITEMS).unwrap().len(), MAX_ITEMS);
    assert!(items(MAX_ITEMS + 1).is_err());
    yields(&[
        ("blob(2796202, 255).as_string().len()", "2796202"),
        ("blob(8388608).len()", "8388608"),
        ("let l = []; l.pad(524288, 0); l.len()", "524288"),
    ]);
    fails(&[("blob(2796203, 255).as_string()", "as_string: the result is longer than 8388608 bytes")]);
}

#[test]
fn only_items_of_one_type_with_an_order_are_sorted() {
    yields(&[
        ("let l = [#{}]; l.sort(); l", "[#{}]"),
        (
            "[[2.5, 1.5].order(), [true, false].order(), ['b', 'a'].order_desc()]",
            "[[1.5, 2.5], [false, true], ['b', 'a']]",
        ),
    ]);
    fails(&[
        ("[#{}, #{}].order()", "items of type `map` can't be sorted"),
        ("[1, \"a\"].order()", "items of different types can't be sorted"),
    ]);
}
