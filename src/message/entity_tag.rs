//! Entity tags (RFC 9110, section 8.8.3): the value of `ETag`, and the lists of `If-Match` and `If-None-Match`.

/// Text of a tag without its quotes, and whether it is weak.
pub(crate) type Tag<'t> = (&'t str, bool);

/// A list of entity tags, or `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EntityTags {
    /// Whether the list is `*`: any tag.
    pub star: bool,
    pub strong: Vec<String>,
    pub weak: Vec<String>,
}

/// Takes one tag apart: `W/"v1"` is `v1`, and weak. A tag without quotes counts too, as in Werkzeug.
pub(crate) fn unquote(value: &str) -> Tag<'_> {
    let weak = value.strip_prefix("W/").or_else(|| value.strip_prefix("w/"));
    let tag = weak.unwrap_or(value);
    let plain = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    (plain, weak.is_some())
}

/// Returns the header value of a tag.
pub(crate) fn quote(tag: &str, weak: bool) -> String {
    format!("{}\"{tag}\"", if weak { "W/" } else { "" })
}

/// Returns the tag at the beginning of a list, whether it is weak, and the list after it.
fn first(list: &str) -> Option<(&str, bool, &str)> {
    let list = list.trim_start();
    let tag = list.strip_prefix("W/").or_else(|| list.strip_prefix("w/"));
    let (weak, tag) = (tag.is_some(), tag.unwrap_or(list));
    // A tag in quotes may have commas.
    let (tag, after) = match tag.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => tag.split_at(tag.find(['"', ' ', '\t', ',']).unwrap_or(tag.len())),
    };
    let after = after.trim_start();
    let after = if after.is_empty() { "" } else { after.strip_prefix(',')? };
    (!tag.is_empty()).then_some((tag, weak, after))
}

impl EntityTags {
    /// Parses the value of `If-Match` or `If-None-Match`. Anything else than a tag is skipped up to the next comma.
    pub(crate) fn parse(header: &str) -> EntityTags {
        let mut tags = EntityTags { star: header == "*", ..EntityTags::default() };
        let mut rest = if tags.star { "" } else { header };
        while !rest.is_empty() {
            rest = match first(rest) {
                Some((tag, weak, after)) => {
                    if weak { &mut tags.weak } else { &mut tags.strong }.push(tag.to_owned());
                    after
                }
                None => rest.split_once(',').map_or("", |(_, after)| after),
            };
        }
        tags
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.star && self.strong.is_empty() && self.weak.is_empty()
    }

    pub(crate) fn is_strong(&self, tag: &str) -> bool {
        self.strong.iter().any(|known| known == tag)
    }

    pub(crate) fn is_weak(&self, tag: &str) -> bool {
        self.weak.iter().any(|known| known == tag)
    }

    /// Whether the list has `tag` as a strong one, or is `*`.
    pub(crate) fn contains(&self, tag: &str) -> bool {
        self.star || self.is_strong(tag)
    }

    /// Whether the list has `tag`, weak or strong, or is `*`.
    pub(crate) fn contains_weak(&self, tag: &str) -> bool {
        self.contains(tag) || self.is_weak(tag)
    }

    /// Returns the value of a header with these tags.
    pub(crate) fn header(&self) -> String {
        if self.star {
            return "*".to_owned();
        }
        let strong = self.strong.iter().map(|tag| quote(tag, false));
        strong.chain(self.weak.iter().map(|tag| quote(tag, true))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns: the header; the strong tags; the weak ones. As in Werkzeug.
    #[test]
    fn lists_of_tags_are_read_like_werkzeugs() {
        let table: [(&str, &[&str], &[&str]); 15] = [
            (r#""a""#, &["a"], &[]),
            (r#"W/"a""#, &[], &["a"]),
            (r#"w/"a", "b" ,W/"c""#, &["b"], &["a", "c"]),
            (r#""a,b", "c d""#, &["a,b", "c d"], &[]),
            (r#""a""b", "c""#, &["c"], &[]),
            (r#"a, b"#, &["a", "b"], &[]),
            (r#"W/a"#, &[], &["a"]),
            (r#"a b, c"#, &["c"], &[]),
            (r#"a"b, c"#, &["c"], &[]),
            (r#""a"#, &[], &[]),
            (r#""a, "b""#, &["b"], &[]),
            (r#""""#, &[], &[]),
            (r#" ,, "a",, "#, &["a"], &[]),
            (r#"*, "a""#, &["*", "a"], &[]),
            ("", &[], &[]),
        ];
        for (header, strong, weak) in table {
            let tags = EntityTags::parse(header);
            let texts = |tags: &[String]| tags.to_vec();
            assert_eq!((texts(&tags.strong), texts(&tags.weak)), (owned(strong), owned(weak)), "{header}");
            assert_eq!(tags.is_empty(), strong.is_empty() && weak.is_empty(), "{header}");
        }
        assert!(EntityTags::parse("*").contains("x") && !EntityTags::parse("*").is_strong("x"));
        assert_eq!(EntityTags::parse(r#"W/"a", "b""#).header(), r#""b", W/"a""#);
        assert_eq!(EntityTags::parse("*").header(), "*");
    }

    fn owned(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn a_tag_is_quoted_and_unquoted() {
        let table = [
            (r#""v""#, ("v", false)),
            (r#"W/"v""#, ("v", true)),
            (r#"w/v"#, ("v", true)),
            ("v", ("v", false)),
            (r#"""#, (r#"""#, false)),
            ("", ("", false)),
        ];
        for (value, expected) in table {
            assert_eq!(unquote(value), expected, "{value}");
        }
        assert_eq!((quote("v", true), quote("v", false)), (r#"W/"v""#.to_owned(), r#""v""#.to_owned()));
    }
}
