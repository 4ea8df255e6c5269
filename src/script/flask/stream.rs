//! `stream(pieces, options)`: an answer whose body leaves piece by piece, like a generator of Flask.
//!
//! `stream(["a", "b"], #{ every: 0.2 })` sends the items of a list; `stream(|n| if n < 3 { `${n}` })` calls a function with 0, 1, 2
//! and so on for the next piece, until it returns `()`. No thread waits between two pieces.

use super::answer;
use super::response::Response;
use crate::chaos::{LONGEST, Reply};
use crate::message::answer::Answer;
use crate::message::media_type::with_charset;
use crate::message::stream::{Failure, Made, Pieces, Stream};
use crate::script::runtime::call::{self, Call};
use crate::script::runtime::fault::Fault;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{full_text, text_of, type_name};
use crate::script::runtime::view::View;
use crate::system::truncate::beginning;
use rhai::{Blob, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
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
    encode: Encode,
    /// The context of the calls: request, store, clock and dice are those of the view.
    context: Option<Box<Call>>,
    number: i64,
}

impl Pieces for Called {
    fn next(&mut self) -> Made {
        let context = *self.context.take().unwrap_or_default();
        let (made, mut context) = call::within(context, || self.call());
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
}

impl Called {
    fn call(&self) -> Result<Option<Vec<u8>>, Failure> {
        let encoded = call::routes().and_then(|routes| {
            let returned = routes.call(&self.function, &mut [Dynamic::from_int(self.number)])?;
            if returned.is_unit() { Ok(None) } else { (self.encode)(&returned).map(Some) }
        });
        encoded.map_err(|error| self.failure(&error))
    }

    /// Finds where `error` happened, and logs it.
    fn failure(&self, error: &EvalAltResult) -> Failure {
        let (Ok(routes), Ok(request)) = (call::routes(), call::request()) else {
            return Failure { error: error.to_string().into(), page: String::new() };
        };
        let fault = Fault::new(error, &self.function.file.name, &routes.files);
        let fault = fault.or_line(&routes.files, self.function.line);
        let error = format!("{} (piece {} of a stream)", fault.at_run_time(), self.number);
        log::error!("{} {}: {error}", request.method(), request.target());
        Failure { error: error.into(), page: fault.page() }
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
    let (kind, shown) = (type_name(value), text_of(value, 80));
    Err(format!(
        "a piece of a stream is a text or a blob, not {kind} `{shown}`: write json.dumps(x) for JSON"
    )
    .into())
}

/// Options of `stream` and `sse`.
pub(super) struct Options {
    every: Duration,
    mimetype: Option<ImmutableString>,
    status: Option<Dynamic>,
    headers: Option<Dynamic>,
}

impl Options {
    /// Reads the options of function `name`, which are those in `known`.
    pub(super) fn read(name: &str, options: &Dynamic, known: &[&str]) -> Fallible<Options> {
        let wrong = || {
            format!("{name}: options are a map, such as `#{{ every: 0.2 }}`, not {}", text_of(options, 80))
        };
        let map = as_map(options).ok_or_else(wrong)?.to_map();
        let mut read = Options { every: Duration::ZERO, mimetype: None, status: None, headers: None };
        for (key, value) in map {
            match key.as_str() {
                key if !known.contains(&key) => {
                    let key = beginning(key, 80);
                    return Err(
                        format!("{name}: option `{key}` is unknown: there are {}", known.join(", ")).into()
                    );
                }
                "every" => read.every = every(name, &value)?,
                "mimetype" => read.mimetype = Some(full_text("mimetype", &value)?.into()),
                "status" => read.status = Some(value),
                _ => read.headers = Some(value),
            }
        }
        Ok(read)
    }
}

fn every(name: &str, value: &Dynamic) -> Fallible<Duration> {
    let number = value.as_float().or_else(|_| value.as_int().map(|seconds| seconds as f64));
    let number = number.map_err(|kind| format!("{name}: `every` takes seconds, not {kind}"))?;
    let time = Duration::try_from_secs_f64(number).ok().filter(|time| *time <= LONGEST);
    Ok(time.ok_or_else(|| {
        format!("{name}: `every` takes seconds from 0 to {}, not {number}", LONGEST.as_secs())
    })?)
}

/// Makes the response of function `name`, whose pieces are a list or a function.
pub(super) fn respond(
    context: &NativeCallContext,
    name: &str,
    pieces: Dynamic,
    encode: Encode,
    (mimetype, options): (&str, Options),
) -> Fallible<Response> {
    let every = options.every;
    let stream = if let Some(items) = as_list(&pieces) {
        let items = items.iter().map(encode).collect::<Fallible<Vec<_>>>()?;
        let space = items.iter().map(|item| item.capacity() + size_of::<Vec<u8>>()).sum();
        Stream::new(every, space, Listed { items: items.into_iter() })
    } else if let Some(function) = pieces.clone().try_cast::<FnPtr>() {
        let function = View::find(&*call::files()?, context, function)?
            .taking(1, &format!("{name} calls the function with the number of the piece"))?;
        let kept = call::with(|call| call.for_later()).unwrap_or_default();
        let space = kept.request.as_ref().map_or(0, |request| request.body.capacity());
        Stream::new(every, space, Called { function, encode, context: Some(kept.into()), number: 0 })
    } else {
        let shown = text_of(&pieces, 80);
        return Err(format!(
            "{name} takes a list of pieces or a function |n| that makes piece n, not {shown}"
        )
        .into());
    };
    let mimetype = with_charset(options.mimetype.as_deref().unwrap_or(mimetype));
    let mut answer = Answer::new(200, mimetype, "");
    if let Some(status) = &options.status {
        (answer.status, answer.reason) = answer::status(status)?;
    }
    let response = Response::from(Reply { stream: Some(stream.into()), ..Reply::from(answer) });
    if let Some(headers) = &options.headers {
        response.set_headers(&answer::header_pairs(headers)?)?;
    }
    Ok(response)
}

const OPTIONS: [&str; 4] = ["every", "mimetype", "status", "headers"];

pub(crate) fn register(natives: &mut Natives) {
    let stream = |context: NativeCallContext, pieces: Dynamic, options: Dynamic| {
        let options = Options::read("stream", &options, &OPTIONS)?;
        respond(&context, "stream", pieces, piece, ("text/html", options))
    };
    natives
        .register_fn("stream", stream)
        .register_fn("stream", move |context: NativeCallContext, pieces: Dynamic| {
            stream(context, pieces, Map::new().into())
        });
}
