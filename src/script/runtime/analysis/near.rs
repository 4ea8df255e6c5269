//! "Did you mean": the known name that is most similar to an unknown one.

use crate::system::spelling;

/// Returns the name of `known` that `word` misspells: the same letters in another case or with other underscores, else the most
/// similar one. Of equally similar names the first wins.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().filter(|known| *known != word).collect();
    let bare = bare(word);
    let same = known.iter().find(|known| !bare.is_empty() && self::bare(known) == bare).copied();
    // One or two letters are similar to every name of that length.
    same.or_else(|| {
        spelling::nearest(word, known).filter(|near| word.len() > 2 || word.len() == 2 && near.len() == 3)
    })
}

/// Returns ``did you mean `hello`?``.
pub(crate) fn did_you_mean(meant: &str) -> String {
    format!("did you mean `{meant}`?")
}

/// Returns the letters of a name that `registerRules`, `register_rules` and `RegisterRules` have in common.
fn bare(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_mistyped_name_or_one_in_another_style_is_similar() {
        let known = ["registerRules", "hello", "app", "request", "getlist", "i", "id"];
        for (word, expected) in [
            ("register_rules", Some("registerRules")),
            ("RegisterRules", Some("registerRules")),
            ("helo", Some("hello")),
            ("ap", Some("app")),
            ("requets", Some("request")),
            ("getList", Some("getlist")),
            ("colour", None),
            ("j", None),
            ("ix", None),
            ("x", None),
            ("_", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
