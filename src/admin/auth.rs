//! The bearer token of `--admin-token`. Knows no resource.

use super::answer::failed;
use crate::message::answer::Answer;
use crate::message::request::Request;
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// `Ok` where the request carries the token (RFC 6750, 2.1); else 401 with `WWW-Authenticate`.
pub(super) fn authorize(token: &str, request: &Request) -> Result<(), Answer> {
    let why = match request.header("authorization").and_then(bearer) {
        Some(given) if same(given, token) => return Ok(()),
        Some(_) => "the bearer token is wrong (`--admin-token`)",
        None => "a bearer token is missing (`--admin-token`): send Authorization: Bearer TOKEN",
    };
    let mut answer = failed(401, why);
    answer.headers.push(("WWW-Authenticate".into(), "Bearer".into()));
    Err(answer)
}

/// The token of an `Authorization` value; the scheme is in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares digests, in a time that tells neither the length nor the first difference.
fn same(given: &str, token: &str) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token));
    let difference = given.iter().zip(token.iter()).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(authorization: Option<&str>) -> u16 {
        let headers = authorization.map(|value| ("Authorization", value));
        let request = Request::from_parts("GET", "/", headers, Vec::new(), None, None);
        authorize("s3cret", &request).err().map_or(200, |answer| answer.status)
    }

    #[test]
    fn only_the_token_as_a_bearer_is_let_in() {
        for value in ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret "] {
            assert_eq!(status(Some(value)), 200, "{value}");
        }
        for value in [
            "Bearer s3cre",
            "Bearer s3cret2",
            "Bearer",
            "Bearer ",
            "s3cret",
            "Basic s3cret",
            "",
            "Bearer S3CRET",
        ] {
            assert_eq!(status(Some(value)), 401, "{value}");
        }
        assert_eq!(status(None), 401);
    }
}
