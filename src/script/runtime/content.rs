//! The body of a request as scripts see it: without its content coding, within the limits of the call.

use super::budget;
use super::http_error::http_error;
use super::natives::Fallible;
use crate::message::content_coding::Flaw;
use crate::message::form::Form;
use crate::message::request::Request;

/// Returns the body of `request` without its content coding. The first call decodes it, so a script that reads no body pays nothing.
///
/// # Errors
/// 400 where the body is not in its coding. 413 where the content is longer than `--max-body`, or than the memory of the call.
pub(crate) fn content(request: &Request) -> Fallible<&[u8]> {
    let most = request.max_content.min(budget::room());
    request.content_within(most, &mut |bytes| budget::work(bytes).is_ok()).map_err(|flaw| match flaw {
        Flaw::TooLarge(most) => {
            let flag = if *most == request.max_content { "--max-body" } else { "--script-memory" };
            http_error(413, format!("the body has more than {most} bytes when decoded ({flag})"))
        }
        Flaw::Broken(..) | Flaw::UnknownCoding(_) => {
            http_error(400, format!("failed to decode the body by its Content-Encoding: {flaw}"))
        }
        Flaw::Stopped => http_error(413, "decoding the body took too long (--script-timeout)"),
    })
}

/// Returns the form of `request`; an empty one for other content types.
///
/// # Errors
/// Those of [`content`]. 413 where the form exceeds a limit.
pub(crate) fn form(request: &Request) -> Fallible<&Form> {
    if request.is_form() {
        content(request)?;
    }
    request.form().map_err(|error| http_error(413, error.to_string()))
}
