//! The URL of another server, as a script has it.

use crate::http_client::Url;

/// Reads the URL of a server.
///
/// # Errors
/// The URL needs TLS, has no scheme, or is none.
pub(crate) fn server_url(url: &str) -> Result<Url, String> {
    let is_tls = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    if is_tls {
        return Err(format!(
            "`{url}` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)"
        ));
    }
    Url::absolute(url).map_err(|error| error.to_string())
}
