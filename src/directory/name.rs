//! The checked name of a file in the provision directory. Only the spelling is checked: the file need not exist.

use crate::system::truncate::truncate;
use std::fmt;

/// Limit of one component in bytes (`NAME_MAX` of Linux).
pub(super) const COMPONENT_LIMIT: usize = 255;
/// Limit of a whole name in bytes (`PATH_MAX` of Linux).
pub(super) const NAME_LIMIT: usize = 4096;

/// A name relative to the provision directory: UTF-8, with `/` between components. No component is empty or hidden (so neither
/// `.` nor `..`), and no character is NUL or another control character. Spaces, quotes, `%`, `\` and all others are legal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// The reason why a text is no [`Name`]; `Display` quotes the text. The admin interface answers with 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    text: String,
    cause: &'static str,
}

impl Name {
    /// Checks `text`.
    ///
    /// # Errors
    /// The text is empty, absolute or too long, has a component that is empty, hidden or `..`, or has control characters.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        match Self::fault(text) {
            // Error texts go to logs and answers, and must be short also for a name of a megabyte.
            Some(cause) => Err(NameError { text: truncate(text, 300, "..."), cause }),
            None => Ok(Name(text.to_owned())),
        }
    }

    /// Makes the name of a listed file for display only: no request can name it (hidden, not UTF-8).
    pub(super) fn unchecked(text: String) -> Name {
        Name(text)
    }

    fn fault(text: &str) -> Option<&'static str> {
        if text.is_empty() {
            return Some("empty");
        }
        if text.len() > NAME_LIMIT {
            return Some("longer than 4096 bytes");
        }
        if text.contains('\0') {
            return Some("contains NUL");
        }
        // A line end in a name would start a line in the log.
        if text.contains(char::is_control) {
            return Some("contains a control character");
        }
        if text.starts_with('/') {
            return Some("absolute");
        }
        text.split('/').find_map(component_fault)
    }

    /// Returns the name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Returns the folders above the file, outermost first; none for a file of the directory itself.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit_once('/').map(|(folders, _)| folders.split('/')).into_iter().flatten()
    }

    /// Whether the file is a provision: it has no extension, or `.rhai`. Any other file is auxiliary.
    pub fn is_provision(&self) -> bool {
        self.file_name().rsplit_once('.').is_none_or(|(_, extension)| extension == "rhai")
    }

    /// Whether the file is in a sub-folder, where a file event activates nothing.
    pub fn in_subfolder(&self) -> bool {
        self.0.contains('/')
    }

    /// Whether the mock ignores files with this last component: see [`Name::ignored`].
    pub fn is_ignored(file_name: &str) -> bool {
        Self::ignored(file_name).is_some()
    }

    /// Returns the reason why the mock ignores files with this last component, if it does. Editors and copying tools leave
    /// dotfiles, `*~`, `*.tmp` and `*.swp` beside the file that they work at.
    pub fn ignored(file_name: &str) -> Option<&'static str> {
        match file_name {
            name if name.starts_with('.') => Some("hidden"),
            name if name.ends_with('~') => Some("backup copy"),
            name if name.ends_with(".tmp") => Some("temporary file"),
            name if name.ends_with(".swp") => Some("swap file of an editor"),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn component_fault(component: &str) -> Option<&'static str> {
    match component {
        "" => Some("empty component"),
        ".." => Some("leaves the provision directory"),
        _ if component.starts_with('.') => Some("hidden"),
        _ if component.len() > COMPONENT_LIMIT => Some("component longer than 255 bytes"),
        _ => None,
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid name `{}`: {}", self.text.escape_debug(), self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_but_legal_names_are_kept_as_they_are() {
        let long = "n".repeat(255);
        let deep = vec!["d".repeat(200); 20].join("/");
        for text in
            ["a", "initial", "my file", "it's \"quoted\"", "100%", "%2e%2e", "a\\b", "ünï/ço∂é", "a..b"]
                .into_iter()
                .chain(["sub/a.json", "~", "-rf", "*", "a~", "x.tmp", long.as_str(), deep.as_str()])
        {
            assert_eq!(Name::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_leave_the_directory_or_hide_are_refused_with_the_reason() {
        for (text, error) in [
            ("", "invalid name ``: empty"),
            ("/etc/passwd", "invalid name `/etc/passwd`: absolute"),
            ("..", "invalid name `..`: leaves the provision directory"),
            ("a/../b", "invalid name `a/../b`: leaves the provision directory"),
            (".", "invalid name `.`: hidden"),
            ("./a", "invalid name `./a`: hidden"),
            ("..data", "invalid name `..data`: hidden"),
            ("a/.git/b", "invalid name `a/.git/b`: hidden"),
            ("a//b", "invalid name `a//b`: empty component"),
            ("a/", "invalid name `a/`: empty component"),
            ("a\nb", "invalid name `a\\nb`: contains a control character"),
            ("a\0b", "invalid name `a\\0b`: contains NUL"),
        ] {
            assert_eq!(Name::parse(text).unwrap_err().to_string(), error, "{text:?}");
        }
    }

    #[test]
    fn the_length_is_bounded_and_the_error_stays_short() {
        let component = Name::parse(&"é".repeat(128)).unwrap_err().to_string();
        assert!(component.ends_with(": component longer than 255 bytes"), "{component}");
        let whole = Name::parse(&"a/".repeat(1 << 20)).unwrap_err().to_string();
        assert!(whole.ends_with("...`: longer than 4096 bytes") && whole.len() < 400, "{whole}");
    }

    #[test]
    fn a_file_is_a_provision_by_its_extension() {
        for (text, provision) in [
            ("initial", true),
            ("a.rhai", true),
            ("a.b.rhai", true),
            ("v1.d/plain", true),
            ("data.json", false),
            ("sub/page.html", false),
            ("v1.2", false),
            ("dot.", false),
        ] {
            assert_eq!(Name::parse(text).unwrap().is_provision(), provision, "{text}");
        }
    }

    #[test]
    fn folders_and_file_name_take_a_name_apart() {
        let name = Name::parse("a/b/c.json").unwrap();
        assert_eq!((name.folders().collect::<Vec<_>>(), name.file_name()), (vec!["a", "b"], "c.json"));
        assert!(name.in_subfolder());
        let plain = Name::parse("c").unwrap();
        assert_eq!((plain.folders().count(), plain.file_name(), plain.in_subfolder()), (0, "c", false));
    }

    #[test]
    fn leftovers_of_editors_are_ignored() {
        for (file_name, reason) in [
            (".a", Some("hidden")),
            ("a~", Some("backup copy")),
            ("a.tmp", Some("temporary file")),
            ("a.swp", Some("swap file of an editor")),
            ("a", None),
            ("a.tmpl", None),
        ] {
            assert_eq!(Name::ignored(file_name), reason, "{file_name}");
            assert_eq!(Name::is_ignored(file_name), reason.is_some());
        }
    }
}
