//! The methods of HTTP by number. Rules have a bit for each, counters have the number in their key.

/// Methods that have a number. The first entry stands for all others.
pub(crate) const METHODS: [&str; 10] =
    ["other", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];

/// Stands for any method in the list of a rule.
pub(crate) const ANY: &str = "*";

/// The methods that `Allow` names for a rule of any method.
pub(crate) const COMMON: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Returns the place of `method` in [`METHODS`].
pub(crate) fn method_index(method: &str) -> u32 {
    // Byte by byte: to compare texts costs a call for each.
    match method.as_bytes() {
        [b'G', b'E', b'T'] => 1,
        [b'H', b'E', b'A', b'D'] => 2,
        [b'P', b'O', b'S', b'T'] => 3,
        [b'P', b'U', b'T'] => 4,
        b"DELETE" => 5,
        b"PATCH" => 6,
        b"OPTIONS" => 7,
        b"TRACE" => 8,
        b"CONNECT" => 9,
        _ => 0,
    }
}

/// Whether `text` is a token (RFC 9110, section 5.6.2), as methods and names of headers are.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// Returns all methods of a rule with these `listed` ones, and whether OPTIONS is automatic.
///
/// # Errors
/// A method is no token.
pub(super) fn complete(listed: &[String], automatic: Option<bool>) -> Result<(Vec<String>, bool), String> {
    if let Some(bad) = listed.iter().find(|method| !is_token(method)) {
        return Err(format!("method `{bad}` is no token"));
    }
    let mut methods: Vec<String> = listed.iter().map(|method| method.to_ascii_uppercase()).collect();
    let has = |name: &str| methods.iter().any(|method| method == name);
    let (get, automatic) = (has("GET"), automatic.unwrap_or(!has("OPTIONS") && !has(ANY)));
    methods.extend(get.then(|| "HEAD".to_owned()));
    methods.extend(automatic.then(|| "OPTIONS".to_owned()));
    methods.sort();
    methods.dedup();
    Ok((methods, automatic))
}
