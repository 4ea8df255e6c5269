//! Tries a request: handles it as the server would, and leaves no trace.
//!
//! The caller passes a provision of its own, whose hits and draws nobody else counts, and conditions with a copy of the values of
//! `store`. Metrics and journal belong to the workers, so a trial never reaches them. Log lines of scripts are captured. The pieces
//! of a stream are made one after the other, without their delays. Nothing is forwarded: the outcome has the URL and no answer.

use super::{Forwarded, Others, Outcome, Resumed, handle};
use crate::chaos::Chaos;
use crate::message::request::Request;
use crate::message::stream::{Made, Stream};
use crate::provisioning::provision::Provision;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::key_value_store::nothing;
use crate::script::runtime::log_capture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most pieces that a trial makes of a stream. Many streams go on until their client leaves.
const MOST_PIECES: usize = 1_000;
/// Bytes after which a trial makes no more pieces.
const MOST_BYTES: usize = 8 << 20;
/// Time after which a trial makes no more pieces.
const PATIENCE: Duration = Duration::from_secs(2);

/// The result of a trial.
pub(crate) struct Tried {
    /// The pieces of a stream are the body of the answer.
    pub outcome: Outcome,
    /// The lines that scripts logged.
    pub lines: Vec<String>,
    pub stream: Option<Streamed>,
}

/// The pieces of a stream that a trial has made.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Streamed {
    pub pieces: usize,
    /// Time from the first piece to the last one, for a client that takes each at once.
    pub over: Duration,
    /// Whether the stream goes on after these pieces.
    pub cut: bool,
    /// Whether the script fails to make the next piece, which breaks the connection.
    pub breaks: bool,
}

/// Handles `request` with `provision` under `conditions`.
pub(crate) fn attempt(provision: &Arc<Provision>, conditions: &Conditions, request: Request) -> Tried {
    let (chaos, mut request) = (Chaos::default(), Arc::new(request));
    let mut handle = || {
        let mut outcome = handle(provision, &chaos, conditions, &mut request);
        // No other request sets a key in this copy of the values: each wait is over.
        while let Some(wait) = outcome.wait.take() {
            if let Some(forward) = wait.forward() {
                let url = forward.url_for(&request).to_string();
                outcome.forwarded = Some(Forwarded { url, error: None }.into());
                break;
            }
            let resumed = Resumed::Value(wait.look(request.epoch).unwrap_or_else(nothing));
            outcome = wait.resume(provision, &Others::default(), &request, resumed);
        }
        let is_sent = request.method() != "HEAD";
        let stream = outcome.reply.stream.take().filter(|_| is_sent);
        let streamed = stream.map(|stream| collect(*stream, &mut outcome));
        (outcome, streamed)
    };
    let (made, lines) = log_capture::within(|| catch_unwind(AssertUnwindSafe(&mut handle)));
    let (outcome, stream) = made.unwrap_or_else(|_| (Outcome::panicked(), None));
    Tried { outcome, lines, stream }
}

/// Makes the pieces of `stream`, and puts them into the body of the answer.
fn collect(stream: Stream, outcome: &mut Outcome) -> Streamed {
    let end = Instant::now() + PATIENCE;
    let mut body = stream.first.clone().unwrap_or_default();
    let mut streamed = Streamed { pieces: usize::from(!body.is_empty()), ..Streamed::default() };
    let Some(mut pieces) = stream.take() else { return streamed };
    while !pieces.is_over() {
        streamed.cut = streamed.pieces >= MOST_PIECES || body.len() >= MOST_BYTES || Instant::now() > end;
        if streamed.cut {
            break;
        }
        let Made { hold, piece } = pieces.next();
        match piece {
            Ok(Some(bytes)) => {
                streamed.over += stream.every + hold;
                streamed.pieces += usize::from(!bytes.is_empty());
                body.extend(bytes);
            }
            Ok(None) => break,
            Err(failure) => {
                streamed.breaks = true;
                outcome.error = outcome.error.take().or(failure.error);
                break;
            }
        }
    }
    outcome.reply.answer.body = body.into();
    streamed
}
