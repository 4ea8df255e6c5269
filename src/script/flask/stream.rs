//! `stream(pieces, options)`: an answer whose body leaves piece by piece, like a generator of Flask.
//!
//! `stream(["a", "b"], #{ every: 0.2 })` sends the items of a list; `stream(|n| if n < 3 { `${n}` })` calls a function with 0, 1, 2
//! and so on for the next piece, until it returns `()`. No thread waits between two pieces.

use super::answer;
use super::property::unknown_option;
use super::request::explain_missing_json;
use super::response::Response;
use super::sleep::seconds;
use super::wait_for::WaitFor;
use crate::chaos::Reply;
use crate::message::answer::{Answer, HTML};
use crate::message::media_type::with_charset;
use crate::message::stream::{Failure, Made, Pieces, Stream};
use crate::script::runtime::allocator;
use crate::script::runtime::analysis::streams::OF_STREAM;
use crate::script::runtime::budget;
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::fault::Fault;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::frozen::{as_list, as_map, is_list, is_map};
use crate::script::runtime::http_error;
use crate::script::runtime::log_capture;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::registration::Routes;
use crate::script::runtime::size_limits::{fits, full_text, text_of, type_name};
use crate::script::runtime::view::View;
use rhai::{Array, Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Turns what a list holds or a function returns into the bytes of a piece.
pub(super) type Encode = fn(&Dynamic) -> Fallible<Vec<u8>>;

/// The pieces of a list.
struct Listed {
    items: std::vec::IntoIter<Vec<u8>>,
}

impl Pieces for Listed {
    fn next(&mut self) -> Made {
        Made { hold: Duration::ZERO, piece: Ok(self.items.next()) }
    }

    fn is_over(&self) -> bool {
        self.items.len() == 0
    }

    fn are_made(&self) -> bool {
        true
    }
}

/// The pieces that a function makes, one for each call.
struct Called {
    function: View,
    routes: Arc<Routes>,
    encode: Encode,
    /// The context of the calls: request, store, clock and dice are those of the view.
    context: Option<Box<Call>>,
    number: i64,
    /// Bytes that the calls have allocated and not freed, and those of the variables at the last count.
    kept: i64,
    counted: usize,
    /// Bytes of the variables at the beginning.
    begun: usize,
    /// Dropped after the variables.
    freed: Freed,
}

/// Has the memory of large variables returned to the system.
struct Freed(usize);

impl Drop for Freed {
    fn drop(&mut self) {
        if self.0 >= MUCH {
            allocator::much_is_freed();
        }
    }
}

/// Bytes of variables whose memory is returned to the system.
const MUCH: usize = 1 << 20;
/// Bytes by which variables may grow until they are counted again.
const FEW: usize = 64 << 10;

impl Pieces for Called {
    fn next(&mut self) -> Made {
        let context = *self.context.take().unwrap_or_default();
        let before = budget::allocated();
        let (made, mut context) = call::within(context, || {
            let budget = self.routes.budget;
            let made = budget.run(|| self.call());
            made.map_err(|error| self.failure(&error))
        });
        let piece = made.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::capacity);
        self.kept += budget::allocated() - before - i64::try_from(piece).unwrap_or_default();
        self.count();
        let hold = std::mem::take(&mut context.hold);
        context.sleeps = 0;
        self.context = Some(context);
        self.number += 1;
        let hold = if made.is_err() { Duration::ZERO } else { hold };
        Made { hold, piece: made }
    }

    fn is_over(&self) -> bool {
        false
    }

    fn grown(&self) -> usize {
        self.counted.saturating_sub(self.begun)
    }
}

impl Called {
    fn call(&mut self) -> Fallible<Option<Vec<u8>>> {
        self.check_kept()?;
        let returned = self.routes.call(&self.function, &mut [Dynamic::from_int(self.number)])?;
        if returned.is_unit() { Ok(None) } else { (self.encode)(&returned).map(Some) }
    }

    /// Fails if the variables that the function has captured take more memory than one call may. Each call has a budget of its
    /// own, so a function that adds to a list for each piece would have no limit otherwise.
    fn check_kept(&mut self) -> Fallible<()> {
        let most = self.routes.budget.memory;
        if self.counted > most {
            return Err(format!(
                "the function of a stream keeps more than {most} bytes in its variables from piece to piece: keep less, or raise --script-memory"
            )
            .into());
        }
        Ok(())
    }

    /// Counts the variables again once they may have doubled. The bytes in `kept` include values that went to `store`.
    fn count(&mut self) {
        let most = self.routes.budget.memory;
        let kept = usize::try_from(self.kept).unwrap_or_default();
        if kept > (2 * self.counted + FEW).min(most) {
            self.counted = self.function.captured(most);
            self.kept = i64::try_from(self.counted).unwrap_or_default();
            self.freed.0 = self.freed.0.max(self.counted);
        }
    }

    /// Finds where `error` happened, and logs it. An `abort` for the first piece is an answer and no error.
    fn failure(&self, error: &EvalAltResult) -> Failure {
        let routes = &self.routes;
        if self.number == 0
            && let Some(abort) = http_error::find(error)
            && let Reply { answer, stream: None, .. } = abort.reply()
        {
            return Failure { error: None, answer };
        }
        let fault = Fault::new(error, &self.function.file.name, &routes.files);
        let mut fault = fault.or_line(&routes.files, self.function.line);
        let request = call::request().ok();
        if let Some(request) = &request {
            fault = explain_missing_json(fault, request);
        }
        let (error, answer) = (fault.at_run_time(), Answer::text(500, fault.page()));
        let error = format!("{error} (piece {} of a stream)", self.number);
        let request = request.map(|request| format!("{} {}: ", request.method(), request.target()));
        let line = format!("{}{error}", request.unwrap_or_default());
        if !log_capture::take(log::Level::Error, || line.clone()) {
            log::error!("{line}{}", fault.help());
        }
        Failure { error: Some(error.into()), answer }
    }
}

/// Returns the bytes of a text or a blob.
fn piece(value: &Dynamic) -> Fallible<Vec<u8>> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(text.as_bytes().to_vec());
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(bytes.clone());
    }
    if let Some(given) = of_view(value) {
        return Err(format!("a piece of a stream is a text or a blob, not {given}").into());
    }
    let instead = match () {
        () if is_map(value) || is_list(value) => ": write json.dumps(x) for JSON",
        () if value.is_int() || value.is_float() || value.is_bool() || value.is_char() => {
            ": write `${x}` for its text"
        }
        () if value.is_fnptr() => ": call it with ()",
        () if value.is_unit() => {
            return Err("a piece of a stream is a text or a blob, not `()`: leave it out".into());
        }
        () => "",
    };
    let (kind, shown) = (type_name(value), text_of(value, 80));
    Err(format!("a piece of a stream is a text or a blob, not {kind} `{shown}`{instead}").into())
}

/// Describes a value that only a view returns, with a hint.
pub(super) fn of_view(value: &Dynamic) -> Option<&'static str> {
    match value {
        _ if value.is::<WaitFor>() => {
            Some("`wait_for(...)`: let the view return wait_for(...), and its function |value| the stream")
        }
        _ if value.is::<Arc<Forward>>() => Some(
            "`forward(...)`: let the view return it in place of the stream; pieces of the other server go on as they come",
        ),
        _ if value.is::<Response>() => Some("a response: let the view return it in place of the stream"),
        _ => None,
    }
}

/// Options of `stream` and `sse`.
pub(super) struct Options {
    every: Duration,
    content_type: Option<String>,
    status: Option<Dynamic>,
    headers: Option<Dynamic>,
}

impl Options {
    /// Reads the options of function `name`, which are those in `known`.
    pub(super) fn read(name: &str, options: &Dynamic, known: &[&str]) -> Fallible<Options> {
        let map = as_map(options).ok_or_else(|| {
            let shown = text_of(options, 80);
            let meant = match options.as_int() {
                Ok(100..) => format!("#{{ status: {shown} }}"),
                _ if options.is_int() || options.is_float() => format!("#{{ every: {shown} }}"),
                _ => "#{ every: 0.2 }".to_owned(),
            };
            format!("{name}: options are a map, such as `{meant}`, not {shown}")
        })?;
        let mut read = Options { every: Duration::ZERO, content_type: None, status: None, headers: None };
        for (key, value) in map.iter() {
            match key {
                key if !known.contains(&key) => return Err(unknown_option(name, "option", key, known)),
                "every" => read.every = seconds(&format!("{name}: `every`"), value)?,
                "mimetype" => read.content_type = Some(with_charset(&full_text("mimetype", value)?)),
                "content_type" => read.content_type = Some(full_text("content_type", value)?),
                "status" => read.status = Some(value.clone()),
                _ => read.headers = Some(value.clone()),
            }
        }
        Ok(read)
    }
}

/// Makes the response of function `name`, whose pieces are a list or a function.
pub(super) fn respond(
    context: &NativeCallContext,
    name: &str,
    pieces: Dynamic,
    encode: Encode,
    (content_type, options): (&'static str, Options),
) -> Fallible<Response> {
    if call::is_loading() {
        return Err(format!(
            "{name} makes the body of one answer: call it in the view function, not while the provision is loaded"
        )
        .into());
    }
    let every = options.every;
    let stream = if is_list(&pieces) {
        let items = encoded(name, &pieces, encode)?;
        let space = items.iter().map(|item| item.capacity() + size_of::<Vec<u8>>()).sum();
        Stream::new(every, space, Listed { items: items.into_iter() })
    } else if let Some(function) = pieces.clone().try_cast::<FnPtr>() {
        let function = View::find(&*call::files()?, context, function)?.taking(1, &called_with(name))?;
        let routes = call::routes()?;
        let kept = call::with(|call| call.for_later()).unwrap_or_default();
        let space = kept.request.as_ref().map_or(0, |request| request.body.capacity());
        let begun = function.captured(routes.budget.memory);
        let called = Called {
            function,
            routes,
            encode,
            context: Some(kept.into()),
            number: 0,
            kept: i64::try_from(begun).unwrap_or_default(),
            counted: begun,
            begun,
            freed: Freed(begun),
        };
        Stream::new(every, space + begun, called)
    } else {
        return Err(no_pieces(name, &pieces));
    };
    let answer = match options.content_type {
        Some(content_type) => Answer::new(200, content_type, ""),
        None => Answer::new(200, content_type, ""),
    };
    let response = Response::from(Reply { stream: Some(stream.into()), ..Reply::from(answer) });
    if let Some(status) = &options.status {
        response.set_status(status)?;
    }
    if let Some(headers) = &options.headers {
        response.set_headers(&answer::header_pairs(headers)?)?;
    }
    Ok(response)
}

/// Returns the bytes of each item of a list. They take at most the memory that the call has left.
fn encoded(name: &str, items: &Dynamic, encode: Encode) -> Fallible<Vec<Vec<u8>>> {
    let items: Array = as_list(items).map(|items| items.to_vec()).unwrap_or_default();
    let mut all = Vec::with_capacity(items.len());
    for (index, item) in budget::watched(items.iter()).enumerate() {
        let item = encode(item).map_err(|error| match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(text, _) => {
                format!("{name}: item {index} of the list: {text}").into()
            }
            _ => error,
        })?;
        fits(name, item.capacity())?;
        all.push(item);
    }
    Ok(all)
}

/// Returns the reason why the function of a stream has one parameter.
fn called_with(name: &str) -> String {
    format!(
        "{name} calls the function with the number of the piece, from 0 on, as in `fn piece(n)` or `|n| ...`"
    )
}

/// Returns the error for pieces that are neither a list nor a function.
fn no_pieces(name: &str, pieces: &Dynamic) -> Box<EvalAltResult> {
    let (kind, shown) = (type_name(pieces), text_of(pieces, 80));
    let instead = match () {
        () if pieces.is::<Range<i64>>() => ": write `list(x).map(|i| ...)` for a list of pieces".to_owned(),
        () if pieces.is_string() || pieces.is_blob() || is_map(pieces) => {
            format!(": a single piece stands in a list, `{name}([x])`")
        }
        () if pieces.is_unit() => {
            format!(
                ": if a function makes the pieces, name it and do not call it, as in `{name}(piece)` with `fn piece(n) {{ ... }}`"
            )
        }
        () => String::new(),
    };
    let given = match of_view(pieces) {
        Some(given) => given.to_owned(),
        None if pieces.is_unit() => "`()`".to_owned(),
        None => format!("{kind} `{shown}`"),
    };
    format!("{name} takes a list of pieces or a function `|n| ...` that makes piece n, not {given}{instead}")
        .into()
}

pub(crate) fn register(natives: &mut Natives) {
    let stream = |context: NativeCallContext, pieces: Dynamic, options: Dynamic| {
        let options = Options::read("stream", &options, &OF_STREAM)?;
        respond(&context, "stream", pieces, piece, (HTML, options))
    };
    natives
        .register_fn("stream", stream)
        .register_fn("stream", move |context: NativeCallContext, pieces: Dynamic| {
            stream(context, pieces, Map::new().into())
        });
}
