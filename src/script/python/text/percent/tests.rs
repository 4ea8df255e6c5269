use crate::script::tests::trial::{engine, fails, yields};
use rhai::Scope;

/// Each line has a template, its values in JSON, and the result of Python 3.11: a text, or `-` for an error.
#[test]
fn texts_are_those_of_python() {
    let engine = engine();
    let mut scope = Scope::new();
    for line in include_str!("python.txt").lines() {
        let [template, values, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        scope.clear();
        scope.push("template", template.to_owned()).push("values", values.to_owned());
        let made = engine
            .eval_with_scope::<String>(&mut scope, "json.dumps(template % json.loads(values))")
            .unwrap_or_else(|_| "-".to_owned());
        assert_eq!(made, expected, "{template} % {values}");
    }
}

#[test]
fn the_operator_takes_one_value_a_list_or_a_map() {
    yields(&[
        (r#""id %s" % 7"#, r#""id 7""#),
        (r#""%s-%s" % ["a", 1.5]"#, r#""a-1.5""#),
        (r#""%(a)s" % #{ a: () }"#, r#""""#),
        (r#""%s" % [[1, 2]]"#, r#""[1, 2]""#),
        (r#""%s %r" % [true, true]"#, r#""true True""#),
        (r#""%d%%" % json.loads("18446744073709551616")"#, r#""18446744073709551616%""#),
        (
            r#"repr(["a", 'b', (), 1.0, #{ k: "x".encode() }, "it's"])"#,
            r#""['a', 'b', None, 1.0, {'k': b'x'}, \"it's\"]""#,
        ),
        (r#"[str(1e16), str(0.1), str(1e-5)]"#, r#"["1e+16", "0.1", "1e-05"]"#),
    ]);
}

#[test]
fn values_that_do_not_fit_are_errors() {
    fails(&[
        (r#""%s %s" % 1"#, "`%s %s` % ...: 1 values are too few"),
        (r#""a" % [1]"#, "`a` % ...: 1 values for 0 directives"),
        (r#""%d" % "x""#, "`%d` % ...: `%d` needs a number, not `string`"),
        (r#""%x" % 1.5"#, "`%x` % ...: `%x` needs a whole number, not `f64`"),
        (r#""%y" % 1"#, "`%y` % ...: unknown directive `%y`: write `%%` for the sign itself"),
        (r#""100%" % []"#, "`100%` % ...: a `%` at the end: write `%%` for the sign itself"),
        (r#""%(a" % #{}"#, "`%(a` % ...: a `%(` without `)`"),
        (r#""%(a)s" % #{}"#, "`%(a)s` % ...: no value for `%(a)`"),
        (r#""%(a)s" % 1"#, "`%(a)s` % ...: `%(a)` needs a map"),
        (r#""%*d" % ["x", 1]"#, "`%*d` % ...: `*` needs a whole number, not `string`"),
        (r#""%c" % "xy""#, "`%c` % ...: `%c` needs one character, or its number"),
        (r#""%.200f" % 1.5"#, "`%.200f` % ...: more than 100 digits behind the point"),
        (r#""%99999999d" % 1"#, "%: the result is longer than 8388608 bytes"),
        (
            r#""%99999999999999999999d" % 1"#,
            "`%99999999999999999999d` % ...: the width 99999999999999999999 is too large",
        ),
        (r#""%8000000s%8000000s" % ["x", "x"]"#, "%: the result is longer than 8388608 bytes"),
    ]);
}
