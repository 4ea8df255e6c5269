//! `send_file` and `send_from_directory`: files of the provision directory as answers, with the arguments of Flask.

use super::conditional;
use super::header_date::header_date;
use super::property::unknown_option;
use super::response::Response;
use crate::directory::{Cause, Content, Name, Stat};
use crate::message::answer::{Answer, check_header};
use crate::message::{disposition, entity_tag, http_date, media_type};
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::http_error::http_error;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{full_text, text_of, type_name};
use crate::simulation::SECOND;
use rhai::{Blob, Dynamic, ImmutableString, Map};
use rustix::io::Errno;

const OPTIONS: [&str; 7] =
    ["mimetype", "as_attachment", "download_name", "conditional", "etag", "last_modified", "max_age"];

/// The named arguments of a call.
struct Options<'o> {
    function: &'static str,
    given: &'o Map,
}

impl Options<'_> {
    fn check(&self) -> Fallible<()> {
        match self.given.keys().find(|key| !OPTIONS.contains(&key.as_str())) {
            Some(unknown) => Err(unknown_option(self.function, "option", unknown, &OPTIONS)),
            None => Ok(()),
        }
    }

    fn get(&self, name: &str) -> Option<&Dynamic> {
        self.given.get(name).filter(|value| !value.is_unit())
    }

    fn text(&self, name: &str) -> Fallible<Option<String>> {
        self.get(name).map(|value| full_text(name, value)).transpose()
    }

    fn flag(&self, name: &str, default: bool) -> Fallible<bool> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let wrong = |kind| format!("`{}` takes true or false as `{name}`, not {kind}", self.function).into();
        value.as_bool().map_err(wrong)
    }
}

/// A file to send.
struct Sent<'s> {
    content: Content,
    /// Name and state of the file; `None` for bytes of a script.
    file: Option<(&'s str, Stat)>,
}

/// Adler-32 of a name. It distinguishes files of one URL whose length and time are equal.
fn checksum(name: &str) -> u32 {
    let add = |(a, b): (u32, u32), byte: u8| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    };
    let (a, b) = name.bytes().fold((1, 0), add);
    b << 16 | a
}

/// Returns Werkzeug's tag of a file: its time, its length and a checksum of its name.
fn tag((name, stat): (&str, Stat)) -> String {
    let (seconds, fraction) =
        (stat.modified_ns.div_euclid(1_000_000_000), stat.modified_ns.rem_euclid(1_000_000_000));
    format!("{seconds}.{fraction}-{}-{}", stat.size, checksum(name))
}

impl Sent<'_> {
    fn response(self, options: &Options) -> Fallible<Response> {
        options.check()?;
        let as_attachment = options.flag("as_attachment", false)?;
        let base = self.file.map(|(name, _)| name.rsplit('/').next().unwrap_or(name).to_owned());
        let name = options.text("download_name")?.or(base);
        let (kind, coding) = match (options.text("mimetype")?, &name) {
            (Some(given), _) => (given, None),
            (None, Some(name)) => {
                let (kind, coding) = media_type::guess(name);
                // Browsers would unpack an archive that they save.
                (kind.to_owned(), coding.filter(|_| !as_attachment))
            }
            (None, None) => {
                let function = options.function;
                return Err(format!("`{function}` needs `mimetype` or `download_name` for bytes").into());
            }
        };
        if as_attachment && name.is_none() {
            return Err(
                format!("`{}` needs `download_name` for an attachment of bytes", options.function).into()
            );
        }
        let kind = media_type::with_charset(&kind);
        check_header("Content-Type", &kind)?;
        let mut answer = Answer { body: self.content, ..Answer::new(200, kind, "") };
        if let Some(name) = name {
            let value = disposition::value(as_attachment, &name);
            check_header("Content-Disposition", &value)?;
            answer.headers.push(("Content-Disposition".into(), value.into()));
        }
        if let Some(coding) = coding {
            answer.headers.push(("Content-Encoding".into(), coding.into()));
        }
        validators(&mut answer, self.file, options)?;
        if options.flag("conditional", true)?
            && let Ok(request) = call::request()
        {
            conditional::apply(&mut answer, &request, Some("bytes"))?;
        }
        Ok(answer.into())
    }
}

/// Adds `Last-Modified`, `Cache-Control`, `Expires` and `ETag`.
fn validators(answer: &mut Answer, file: Option<(&str, Stat)>, options: &Options) -> Fallible<()> {
    let modified = match (options.get("last_modified"), file) {
        (Some(given), _) => Some(header_date(&format!("{}: `last_modified`", options.function), given)?),
        (None, Some((_, stat))) => {
            http_date::write(i64::try_from(stat.modified_ns.div_euclid(1_000_000_000)).unwrap_or_default())
        }
        (None, None) => None,
    };
    let mut add = |name: &'static str, value: String| answer.headers.push((name.into(), value.into()));
    if let Some(modified) = modified {
        add("Last-Modified", modified);
    }
    let age = options.get("max_age").map(|age| {
        age.as_int()
            .map_err(|kind| format!("`{}` takes whole seconds as `max_age`, not {kind}", options.function))
    });
    match age.transpose()? {
        Some(age) => {
            add("Cache-Control", format!("{}, max-age={age}", if age > 0 { "public" } else { "no-cache" }));
            let now = i64::try_from(call::now().div_euclid(SECOND)).unwrap_or(0);
            if let Some(expires) = http_date::write(now.saturating_add(age)) {
                add("Expires", expires);
            }
        }
        None => add("Cache-Control", "no-cache".to_owned()),
    }
    let given =
        options.get("etag").and_then(|etag| etag.read_lock::<ImmutableString>().map(|text| text.clone()));
    match given {
        Some(tag) => add("ETag", conditional::etag(&tag, false)?),
        None if options.flag("etag", true)? => {
            if let Some(file) = file {
                add("ETag", entity_tag::quote(&tag(file), false));
            }
        }
        None => {}
    }
    Ok(())
}

/// Returns the options of the second argument: a map, or the media type as a text.
fn options_of(function: &'static str, second: &Dynamic) -> Fallible<Map> {
    if let Some(map) = as_map(second) {
        return Ok(map.to_map());
    }
    if second.is_string() {
        return Ok([("mimetype".into(), second.clone())].into());
    }
    let kind = type_name(second);
    Err(format!("options of `{function}` are a map: `#{{ as_attachment: true }}`, not {kind}").into())
}

/// `send_file(name, #{ ... })`, `send_file(name, mimetype)`; also bytes in place of a name.
fn send_file(file: &Dynamic, second: &Dynamic) -> Fallible<Response> {
    let function = "send_file";
    let options = options_of(function, second)?;
    let options = Options { function, given: &options };
    if let Some(bytes) = file.read_lock::<Blob>() {
        return Sent { content: bytes.clone().into(), file: None }.response(&options);
    }
    let Some(name) = file.read_lock::<ImmutableString>().map(|name| name.clone()) else {
        let shown = text_of(file, 80);
        return Err(format!("`send_file` takes the name of a file or a blob, not {shown}").into());
    };
    let checked = Name::parse(&name).map_err(|error| error.to_string())?;
    let found = call::files()?.content(&checked, call::is_loading());
    let (content, stat) = found.map_err(|error| error.to_string())?;
    Sent { content, file: Some((&name, stat)) }.response(&options)
}

/// Joins names as Werkzeug's `safe_join`: `.` and `..` are resolved. Returns `None` for a path that leaves the directory.
fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    let outside = path.starts_with('/') || parts.is_empty();
    let directory = directory.trim_end_matches('/');
    let directory = directory.strip_prefix("./").unwrap_or(directory);
    let above = (!matches!(directory, "" | ".")).then_some(directory);
    (!outside).then(|| above.into_iter().chain(parts).collect::<Vec<_>>().join("/"))
}

/// `send_from_directory(directory, path, #{ ... })`. A path that is missing or leads out of the directory is 404.
fn send_from_directory(directory: &str, path: &str, second: &Dynamic) -> Fallible<Response> {
    let function = "send_from_directory";
    let options = options_of(function, second)?;
    let trimmed = directory.trim_end_matches('/');
    if !matches!(trimmed, "" | ".") || directory.starts_with('/') {
        let within = if directory.starts_with('/') { directory } else { trimmed };
        Name::parse(within.strip_prefix("./").unwrap_or(within)).map_err(|error| error.to_string())?;
    }
    let missing = || http_error(404, "");
    let name = join(directory, path).ok_or_else(missing)?;
    let checked = Name::parse(&name).map_err(|_| missing())?;
    let found = call::files()?.content(&checked, call::is_loading());
    let (content, stat) = found.map_err(|error| match error.cause() {
        Cause::NotFound
        | Cause::IsDirectory
        | Cause::NotDirectory
        | Cause::NotRegular
        | Cause::LeadsOutside => missing(),
        Cause::Io(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => missing(),
        _ => error.to_string().into(),
    })?;
    Sent { content, file: Some((&name, stat)) }.response(&Options { function, given: &options })
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("send_file", Map::new(), |file: Dynamic, options: Dynamic| {
            send_file(&file, &options)
        })
        .register_optional(
            "send_from_directory",
            Map::new(),
            |directory: &str, path: &str, options: Dynamic| send_from_directory(directory, path, &options),
        );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_joined_unless_it_leaves_the_directory() {
        let table = [
            ("static", "a.css", Some("static/a.css")),
            ("static/", "a/b.css", Some("static/a/b.css")),
            ("./static", "a/../b.css", Some("static/b.css")),
            ("", "a.css", Some("a.css")),
            (".", "./a.css", Some("a.css")),
            ("static", "a//b.css", Some("static/a/b.css")),
            ("static", "..", None),
            ("static", "../a", None),
            ("static", "a/../../b", None),
            ("static", "/etc/passwd", None),
            ("static", "a/", Some("static/a")),
            ("static", "a/..", None),
            ("static", "", None),
            ("static", ".", None),
        ];
        for (directory, path, expected) in table {
            assert_eq!(join(directory, path).as_deref(), expected, "{directory} {path}");
        }
    }

    #[test]
    fn the_tag_of_a_file_has_its_time_length_and_name() {
        let stat = Stat { device: 1, inode: 2, modified_ns: 1_700_000_000_000_000_000, size: 10 };
        assert_eq!(tag(("Wikipedia", stat)), "1700000000.0-10-300286872");
        assert_ne!(tag(("a", stat)), tag(("b", stat)));
    }
}
