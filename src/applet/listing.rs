//! Parts of a line of `ls -l` and `tar tvf`.

use chrono::DateTime;

/// Returns `drwxr-xr-x`, from the letter of the type and the mode.
pub(super) fn mode(kind: char, mode: u32) -> String {
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Returns `2026-01-31 12:00`, in UTC: there are no time zones in the image.
pub(super) fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_times_look_like_those_of_other_tools() {
        for (kind, bits, expected) in [
            ('-', 0o644, "-rw-r--r--"),
            ('d', 0o1777, "drwxrwxrwt"),
            ('-', 0o4750, "-rwsr-x---"),
            ('-', 0o7000, "---S--S--T"),
            ('l', 0o777, "lrwxrwxrwx"),
        ] {
            assert_eq!(mode(kind, bits), expected);
        }
        assert_eq!(time(1_769_860_800), "2026-01-31 12:00");
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(i64::MAX), "1970-01-01 00:00");
    }
}
