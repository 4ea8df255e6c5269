//! I/O errors as text for the end of a message: lower case, without the error number.

use std::{fmt, io};

/// Returns the reason of an I/O error, such as `permission denied`.
pub(crate) fn describe_io(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = plain.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// Turns an I/O error into ``failed to listen on `0.0.0.0:80`: permission denied``, where `action` is the part after "to".
pub(crate) fn failed_to(action: impl fmt::Display) -> impl Fn(io::Error) -> String {
    move |error| format!("failed to {action}: {}", describe_io(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_lower_case_and_without_its_number() {
        for (number, words) in
            [(13, "permission denied"), (30, "read-only file system"), (20, "not a directory")]
        {
            assert_eq!(describe_io(&io::Error::from_raw_os_error(number)), words);
        }
        assert_eq!(describe_io(&io::Error::other("Own words (of ours)")), "own words (of ours)");
    }
}
