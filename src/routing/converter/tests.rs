//! Converters by table.

use super::*;

fn converter(text: &str) -> Converter {
    let (name, arguments) =
        text.strip_suffix(')').and_then(|text| text.split_once('(')).unwrap_or((text, ""));
    Converter::parse(name, arguments).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Returns the value if the converter takes the whole text.
fn value(converter: &Converter, text: &str) -> Option<Value> {
    converter.ends(text, 0, |end| end == text.len()).then(|| converter.convert(text)).flatten()
}

#[test]
fn converters_take_the_numbers_that_werkzeug_takes() {
    for (name, text, number) in [
        ("int", "007", Some(7)),
        ("int", "-1", None),
        ("int", "+1", None),
        ("int", "1.0", None),
        ("int", "٣", None),
        ("int", "9223372036854775807", Some(i64::MAX)),
        ("int", "9223372036854775808", None),
        ("int(signed=True)", "-1", Some(-1)),
        ("int(signed=True)", "--1", None),
        ("int(signed=True)", "-", None),
        ("int(signed=False)", "-1", None),
        ("int(fixed_digits=3)", "007", Some(7)),
        ("int(fixed_digits=3)", "7", None),
        ("int(fixed_digits=3)", "0007", None),
        ("int(3, signed=True)", "-07", Some(-7)),
        ("int(min=2, max=3)", "1", None),
        ("int(min=2, max=3)", "2", Some(2)),
        ("int(min=2, max=3)", "3", Some(3)),
        ("int(min=2, max=3)", "4", None),
        ("int(min=-3, signed=True)", "-4", None),
        ("int(min=None)", "4", Some(4)),
    ] {
        assert_eq!(value(&converter(name), text), number.map(Value::Int), "{name} {text}");
    }
    for (name, text, number) in [
        ("float", "1.5", Some(1.5)),
        ("float", "007.50", Some(7.5)),
        ("float", "1", None),
        ("float", "1.", None),
        ("float", ".5", None),
        ("float", "1e5", None),
        ("float", "1.5e5", None),
        ("float", "-1.5", None),
        ("float(signed=True)", "-1.5", Some(-1.5)),
        ("float(min=1.5)", "1.4", None),
        ("float(min=1)", "1.0", Some(1.0)),
        ("float(1, 2)", "2.1", None),
    ] {
        assert_eq!(value(&converter(name), text), number.map(Value::Float), "{name} {text}");
    }
    assert_eq!(value(&converter("float"), &format!("{}.0", "9".repeat(400))), None);
}

#[test]
fn converters_take_the_texts_that_werkzeug_takes() {
    let uuid = "12345678-1234-ABCD-abcd-1234567890ab";
    for (name, text, taken) in [
        ("string", "ä b", true),
        ("string", "a/b", false),
        ("string", "", false),
        ("default", "x", true),
        ("string(length=2)", "äö", true),
        ("string(length=2)", "a", false),
        ("string(length=2)", "abc", false),
        ("string(2)", "a", false),
        ("string(2, 3)", "abcd", false),
        ("string(minlength=2)", "abcd", true),
        ("string(maxlength=2)", "abc", false),
        ("any(a, b)", "b", true),
        ("any(a, b)", "c", false),
        ("any(a, b)", "A", false),
        ("any('a,b', \"c d\", e-f, 1,)", "a,b", true),
        ("any('a,b', \"c d\", e-f, 1,)", "c d", true),
        ("any('a,b', \"c d\", e-f, 1,)", "e-f", true),
        ("any('a,b', \"c d\", e-f, 1,)", "1", true),
        ("any('a/b')", "a/b", true),
        ("path", "a//b/", true),
        ("path", "/a", false),
        ("path", "", false),
        ("uuid", &uuid[1..], false),
        ("uuid", &uuid.replace('A', "G"), false),
    ] {
        let expected = taken.then(|| Value::Text(text.to_owned()));
        assert_eq!(value(&converter(name), text), expected, "{name} {text}");
    }
    assert_eq!(value(&converter("uuid"), uuid), Some(Value::Text(uuid.to_lowercase())));
}

#[test]
fn ends_come_in_the_order_of_the_regular_expressions() {
    for (name, text, ends) in [
        ("string", "aä/", vec![3, 1]),
        ("string(minlength=2)", "abc", vec![3, 2]),
        ("int", "12a", vec![2, 1]),
        ("int(signed=True)", "-12", vec![3, 2]),
        ("float", "1.25", vec![4, 3]),
        ("path", "a/b", vec![1, 2, 3]),
        ("any(a, ab)", "abc", vec![1, 2]),
        ("any(ab, a)", "abc", vec![2, 1]),
    ] {
        let mut seen = Vec::new();
        converter(name).ends(text, 0, |end| {
            seen.push(end);
            false
        });
        assert_eq!(seen, ends, "{name} {text}");
    }
}

#[test]
fn wrong_options_are_refused() {
    for (name, arguments, message) in [
        (
            "foo",
            "",
            "unknown converter `foo`, there are `any`, `default`, `float`, `int`, `path`, `string`, `uuid`",
        ),
        ("int", "mim=1", "converter `int` has no option `mim`"),
        ("int", "1, 2, 3, True, 5", "converter `int` has no option `5`"),
        ("path", "1", "converter `path` has no option `1`"),
        ("uuid", "version=4", "converter `uuid` has no option `version`"),
        ("int", "min=1, min=2", "option `min` of converter `int` is given twice"),
        ("int", "1, fixed_digits=2", "option `fixed_digits` of converter `int` is given twice"),
        ("int", "min=x", "option `min` of converter `int` must be an integer, not `x`"),
        ("int", "min=1.5", "option `min` of converter `int` must be an integer, not `1.5`"),
        (
            "int",
            "fixed_digits=-1",
            "option `fixed_digits` of converter `int` must be a number of digits up to 1000, not `-1`",
        ),
        ("int", "signed=yes", "option `signed` of converter `int` must be True or False, not `yes`"),
        ("float", "max=inf", "option `max` of converter `float` must be a number, not `inf`"),
        (
            "string",
            "length=0",
            "option `length` of converter `string` must be a number of characters from 1, not `0`",
        ),
        ("string", "minlength=3, maxlength=2", "`maxlength` 2 of `string` is under `minlength` 3"),
        ("int", "min=", "malformed option `min=` of converter `int`"),
        ("int", "min 1", "malformed option `min 1` of converter `int`"),
        ("int", ",", "malformed option `` of converter `int`"),
        ("any", "it's", "malformed option `it's` of converter `any`"),
        ("any", "'a' 'b'", "malformed option `'a' 'b'` of converter `any`"),
        ("any", "", "converter `any` needs items"),
        ("any", "a=b", "converter `any` has no option `a`"),
        ("any", "''", "item `` of converter `any` must not be empty, start or end with `/`"),
        ("any", "'/a'", "item `/a` of converter `any` must not be empty, start or end with `/`"),
    ] {
        assert_eq!(Converter::parse(name, arguments), Err(message.to_owned()), "{name}({arguments})");
    }
}

#[test]
fn a_written_value_can_be_read_again() {
    for (name, value, text) in [
        ("int", Value::Int(-5), Some("-5")),
        ("int(fixed_digits=4)", Value::Int(-5), Some("-005")),
        ("int", Value::Float(5.7), Some("5")),
        ("int", Value::Text("12".into()), Some("12")),
        ("int", Value::Text("a".into()), None),
        ("int", Value::Float(f64::NAN), None),
        ("float", Value::Int(2), Some("2.0")),
        ("float", Value::Float(2.5), Some("2.5")),
        ("float", Value::Float(1e21), Some("1000000000000000000000.0")),
        ("float", Value::Text("2.50".into()), Some("2.5")),
        ("float", Value::Float(f64::INFINITY), None),
        ("string", Value::Int(1), Some("1")),
        ("path", Value::Text("a/b".into()), Some("a/b")),
    ] {
        assert_eq!(converter(name).to_url(&value).as_deref(), text, "{name} {value:?}");
    }
}

#[test]
fn a_converter_is_displayed_as_a_rule_has_it() {
    for text in [
        "string",
        "string(length=2)",
        "string(minlength=2, maxlength=3)",
        "int",
        "int(fixed_digits=2, min=-1, max=3, signed=True)",
        "float(min=1.5)",
        "any(a, \"b,c\")",
        "uuid",
        "path",
    ] {
        assert_eq!(converter(text).to_string(), text);
    }
}
