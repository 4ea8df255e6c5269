//! `logging.*`: log records of scripts. Their target is `provision`, and each begins with the line of the script.

use super::text::percent::{Failure, write_percent};
use crate::script::runtime::call;
use crate::script::runtime::log_capture;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{Text, type_name, write_value};
use log::Level;
use rhai::{Dynamic, ImmutableString, NativeCallContext, Position};
use std::any::TypeId;

/// The target of the log records: `RUST_LOG=provision=debug` selects them.
pub(crate) const TARGET: &str = "provision";

/// Most bytes of a message.
const MAX_MESSAGE: usize = 64 << 10;

#[derive(Debug, Clone)]
pub(crate) struct Logging;

/// Most values after the template of a message.
const MAX_VALUES: usize = 8;

const LEVELS: [(&str, Level); 6] = [
    ("info", Level::Info),
    ("warning", Level::Warn),
    ("warn", Level::Warn),
    ("error", Level::Error),
    ("exception", Level::Error),
    ("critical", Level::Error),
];

/// Python's numbers for levels, for `logging.log(logging.INFO, ...)`.
const NUMBERS: [(&str, i64); 7] = [
    ("DEBUG", 10),
    ("INFO", 20),
    ("WARNING", 30),
    ("WARN", 30),
    ("ERROR", 40),
    ("CRITICAL", 50),
    ("NOTSET", 0),
];

/// Returns the level of one of Python's numbers. A number between two levels means the lower one.
fn level_of(number: &Dynamic) -> Fallible<Level> {
    match number.as_int() {
        Ok(..10) => Ok(Level::Trace),
        Ok(10..20) => Ok(Level::Debug),
        Ok(20..30) => Ok(Level::Info),
        Ok(30..40) => Ok(Level::Warn),
        Ok(40..) => Ok(Level::Error),
        Err(_) => Err(format!(
            "logging.log: the level is a number such as `logging.INFO`, not `{}`",
            type_name(number)
        )
        .into()),
    }
}

/// Joins the values with blanks, as `print` does. A text that is too long is cut.
fn joined(context: &NativeCallContext, values: &[Dynamic]) -> ImmutableString {
    let mut out = Text::with_limit(MAX_MESSAGE);
    for (index, value) in values.iter().enumerate() {
        let written = out
            .push("print", if index > 0 { " " } else { "" })
            .and_then(|()| write_value("print", &mut out, context, value));
        if written.is_err() {
            return out.truncated();
        }
    }
    out.finish()
}

/// Returns the text of `logging.info(template, value, ...)`, and the reason if the values don't fit the template. Without values
/// the message is not a template.
fn message(context: &NativeCallContext, values: &[Dynamic]) -> (ImmutableString, Option<String>) {
    let template = match values {
        [template, _, ..] => template.as_immutable_string_ref().ok(),
        _ => None,
    };
    let Some(template) = template else { return (joined(context, values), None) };
    let mut out = Text::with_limit(MAX_MESSAGE);
    match write_percent(&mut out, context, &template, &values[1..]) {
        Ok(()) => (out.finish(), None),
        Err(Failure::TooLong) => (out.truncated(), None),
        Err(Failure::Mismatch(why)) => (joined(context, values), Some(why)),
    }
}

/// Puts the name of the provision and the line in front of the message: `orders:12: text`.
fn record(source: Option<&str>, line: Option<usize>, message: &str) -> String {
    let mut shown = Text::with_limit(MAX_MESSAGE);
    let shown = if shown.push("", message).is_ok() { shown.finish() } else { shown.truncated() };
    match (source, line) {
        (Some(source), Some(line)) => format!("{source}:{line}: {shown}"),
        (Some(source), None) => format!("{source}: {shown}"),
        (None, Some(line)) => format!("{line}: {shown}"),
        (None, None) => shown.into(),
    }
}

/// Whether a line of `level` is logged or captured.
fn is_enabled(level: Level) -> bool {
    log_capture::is_on() || log::log_enabled!(target: TARGET, level)
}

/// Logs `message` if `level` is enabled.
fn write(level: Level, source: Option<&str>, position: Position, message: &str) {
    if is_enabled(level) && !log_capture::take(level, || record(source, position.line(), message)) {
        log::log!(target: TARGET, level, "{}", record(source, position.line(), message));
    }
}

/// Logs the values of a script. If they don't fit the template, a warning follows and the request goes on.
fn log_values(context: &NativeCallContext, name: &str, level: Level, values: &[Dynamic]) {
    if !is_enabled(level) {
        return;
    }
    // A closure has no source: the name comes from the call.
    let file = call::with(|call| call.file().map(|file| file.name.clone())).flatten();
    let source = context.call_source().or(file.as_deref());
    let (text, mistake) = message(context, values);
    write(level, source, context.call_position(), &text);
    if let Some(why) = mistake {
        write(Level::Warn, source, context.call_position(), &format!("logging.{name}: {why}"));
    }
}

/// Registers `logging`. `print(x)` and `debug(x)` of Rhai write to the same log.
pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("logging", Logging);
    let receiver = Some(TypeId::of::<Logging>());
    for (name, level) in LEVELS {
        natives.register_variadic(name, receiver, 1..=MAX_VALUES + 1, move |context, values| {
            log_values(context, name, level, &values);
            Ok(Dynamic::UNIT)
        });
    }
    natives.register_variadic("log", receiver, 2..=MAX_VALUES + 2, |context, values| {
        log_values(context, "log", level_of(&values[0])?, &values[1..]);
        Ok(Dynamic::UNIT)
    });
    for (name, number) in NUMBERS {
        natives.register_get(name, move |_: Receiver<Logging>| number);
    }
    // Rhai passes the result of every function named `debug` or `print` to `on_debug` or `on_print`.
    natives.register_variadic("debug", receiver, 1..=MAX_VALUES + 1, |context, values| {
        if !is_enabled(Level::Debug) {
            return Ok(ImmutableString::new().into());
        }
        let (text, mistake) = message(context, &values);
        Ok(mistake.map_or(text.clone(), |why| format!("{text} (logging.debug: {why})").into()).into())
    });
    natives.register_variadic("print", None, 2..=MAX_VALUES, |context, values| {
        Ok(joined(context, &values).into())
    });
    natives.engine.on_debug(|text, source, position| write(Level::Debug, source, position, text));
    natives.engine.on_print(|text| write(Level::Info, None, Position::NONE, text));
}

#[cfg(test)]
mod tests {
    use super::{MAX_MESSAGE, level_of, message, record};
    use crate::script::tests::trial::{engine, fails, yields};
    use log::Level;
    use rhai::{Array, Engine, NativeCallContext};

    #[test]
    fn records_name_their_line() {
        let table = [
            (Some("foo-bar"), Some(12), "text", "foo-bar:12: text"),
            (None, Some(3), "1", "3: 1"),
            (None, None, "a\nb", "a\nb"),
            (Some("a"), None, "x", "a: x"),
        ];
        for (source, line, message, expected) in table {
            assert_eq!(record(source, line, message), expected);
        }
        assert!(record(None, None, &"x".repeat(100_000)).len() <= MAX_MESSAGE);
    }

    #[test]
    fn every_level_takes_any_values() {
        for call in [
            "1",
            "\"a\"",
            "[1]",
            "#{}",
            "()",
            "\"%s\", 1",
            "\"%s\"",
            "1, 2",
            "\"%d\", \"x\"",
            "1, 2, 3, 4, 5, 6, 7, 8, 9",
        ] {
            for level in ["debug", "info", "warning", "warn", "error", "exception", "critical"] {
                engine().run(&format!("logging.{level}({call})")).unwrap();
            }
        }
        engine().run("print(); print(1); print(1, \"a\", [2], (), 5, 6, 7, 8); print(\"%s\", 1)").unwrap();
    }

    #[test]
    fn levels_have_the_numbers_of_python() {
        for (number, level) in [
            (i64::MIN, Level::Trace),
            (9, Level::Trace),
            (10, Level::Debug),
            (20, Level::Info),
            (25, Level::Info),
            (30, Level::Warn),
            (40, Level::Error),
            (i64::MAX, Level::Error),
        ] {
            assert_eq!(level_of(&number.into()).unwrap(), level, "{number}");
        }
        yields(&[
            (
                "[logging.NOTSET, logging.DEBUG, logging.INFO, logging.WARN, logging.WARNING, logging.ERROR, logging.CRITICAL]",
                "[0, 10, 20, 30, 30, 40, 50]",
            ),
            ("logging.log(logging.INFO, \"%s %d\", 1, 2)", "()"),
            ("logging.log(25, 1, 2, 3, 4, 5, 6, 7, 8, 9)", "()"),
        ]);
        fails(&[(
            "logging.log(\"INFO\", 1)",
            "logging.log: the level is a number such as `logging.INFO`, not `string`",
        )]);
    }

    /// Returns an engine with a function `made(list)`, which returns the message of the values and the reason if they don't fit.
    fn messages() -> Engine {
        let mut engine = engine();
        engine.register_fn("made", |context: NativeCallContext, values: Array| -> Array {
            let (text, mistake) = message(&context, &values);
            vec![text.into(), mistake.unwrap_or_default().into()]
        });
        engine
    }

    #[test]
    fn messages_have_their_values_as_in_python() {
        let table = [
            ("\"id %s: %d\", 7, 2.9", "id 7: 2", ""),
            ("\"100%\"", "100%", ""),
            ("\"%(a)s and %(b)03d\", #{ a: [1], b: 2 }", "[1] and 002", ""),
            ("\"%s\", #{ a: 1 }", "#{\"a\": 1}", ""),
            ("\"%s\", [1, 2]", "[1, 2]", ""),
            ("\"%s\", hashlib", "hashlib", ""),
            ("\"a\", 1", "a 1", "1 values for 0 directives"),
            ("\"%s %s\", 1", "%s %s 1", "1 values are too few"),
            ("\"%d\", \"x\"", "%d x", "`%d` needs a number, not `string`"),
            ("1, \"a\", ()", "1 a ", ""),
        ];
        for (values, text, mistake) in table {
            let made = messages().eval::<Array>(&format!("made([{values}])")).unwrap();
            assert_eq!((made[0].to_string(), made[1].to_string()), (text.into(), mistake.into()), "{values}");
        }
        let cut = messages().eval::<Array>("made([\"%s\", \"x\" * 100000])").unwrap();
        assert!(cut[0].to_string().len() <= MAX_MESSAGE && cut[0].to_string().ends_with("x..."));
    }
}
