//! `logging.*`: what scripts write to the log, under the target `provision`, with the line that wrote it.

use crate::script::runtime::call;
use crate::script::runtime::natives::{Natives, Receiver};
use crate::script::runtime::size_limits::text_of;
use log::Level;
use rhai::{Dynamic, NativeCallContext, Position};

/// The target of the log records: `RUST_LOG=provision=debug` selects them.
pub(crate) const TARGET: &str = "provision";

/// Longest message in bytes.
const MAX_MESSAGE: usize = 64 << 10;

#[derive(Debug, Clone)]
pub(crate) struct Logging;

/// The message behind the name of the provision and the line. Control characters are escaped: text of a client in it
/// can't look like a record of its own.
fn record(source: Option<&str>, line: Option<usize>, value: &Dynamic) -> String {
    let mut text = String::new();
    if let Some(source) = source {
        text = format!("{source}:");
    }
    if let Some(line) = line {
        text = format!("{text}{line}:");
    }
    if !text.is_empty() {
        text.push(' ');
    }
    for letter in text_of(value, MAX_MESSAGE).chars() {
        if letter.is_control() && letter != '\t' {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    text
}

/// Logs `value` at `level`, where that is switched on.
fn write(level: Level, source: Option<&str>, position: Position, value: &Dynamic) {
    if log::log_enabled!(target: TARGET, level) {
        log::log!(target: TARGET, level, "{}", record(source, position.line(), value));
    }
}

/// Registers `logging`; `print(x)` and `debug(x)` of Rhai write to the same log.
pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("logging", Logging);
    for (name, level) in
        [("info", Level::Info), ("warning", Level::Warn), ("error", Level::Error), ("critical", Level::Error)]
    {
        natives.register_fn(name, move |context: NativeCallContext, _: Receiver<Logging>, value: Dynamic| {
            // A closure has no source of its own.
            let file = call::with(|call| call.file().map(|file| file.name.clone())).flatten();
            write(level, context.call_source().or(file.as_deref()), context.call_position(), &value);
        });
    }
    // Whatever is called `debug`, Rhai takes its text and hands it to `on_debug`.
    natives.register_fn("debug", |_: Receiver<Logging>, value: Dynamic| text_of(&value, MAX_MESSAGE));
    natives.engine.on_debug(|text, source, position| write(Level::Debug, source, position, &text.into()));
    natives.engine.on_print(|text| write(Level::Info, None, Position::NONE, &text.into()));
}

#[cfg(test)]
mod tests {
    use super::record;
    use crate::script::tests::trial::engine;
    use rhai::Dynamic;

    #[test]
    fn records_name_their_line_and_stay_one_line() {
        let table = [
            (Some("foo-bar"), Some(12), Dynamic::from("text"), "foo-bar:12: text"),
            (None, Some(3), Dynamic::from(1_i64), "3: 1"),
            (None, None, Dynamic::from("a\nb\tc\u{1b}"), "a\\nb\tc\\u{1b}"),
            (Some("a"), None, vec![Dynamic::from("x"), Dynamic::UNIT].into(), "a: [\"x\", ()]"),
        ];
        for (source, line, value, expected) in table {
            assert_eq!(record(source, line, &value), expected);
        }
        assert!(record(None, None, &"x".repeat(100_000).into()).len() <= super::MAX_MESSAGE);
    }

    #[test]
    fn every_level_takes_any_value() {
        let script = "logging.debug(1); logging.info(\"a\"); logging.warning([1]); logging.error(#{}); logging.critical(());";
        engine().run(script).unwrap();
    }
}
