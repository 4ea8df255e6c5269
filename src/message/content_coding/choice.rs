//! Chooses the coding of an answer by the request's `Accept-Encoding` (RFC 9110, 12.5.3).

use super::Frame;

/// A coding of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    /// Returns its name in `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }

    pub(crate) fn frame(self) -> Frame {
        match self {
            Coding::Gzip => Frame::Gzip,
            Coding::Deflate => Frame::Zlib,
        }
    }
}

/// Returns the coding that the client likes best, gzip before deflate: `choose("gzip;q=0.5, deflate")` is deflate. `None` where it
/// takes neither, or likes the body as it is better. A client that sent no `Accept-Encoding` gets no coding.
pub(crate) fn choose(accepted: &str) -> Option<Coding> {
    let of = |names: &[&str]| {
        accepted
            .split(',')
            .filter_map(item)
            .find(|(name, _)| names.iter().any(|n| name.eq_ignore_ascii_case(n)))
    };
    let weight = |names: &[&str]| of(names).or_else(|| of(&["*"])).map_or(0, |(_, weight)| weight);
    let (gzip, deflate) = (weight(&["gzip", "x-gzip"]), weight(&["deflate"]));
    let plain = of(&["identity"]).map_or(0, |(_, weight)| weight);
    match gzip.max(deflate) {
        best if best == 0 || best < plain => None,
        best if best == gzip => Some(Coding::Gzip),
        _ => Some(Coding::Deflate),
    }
}

/// Parses `gzip;q=0.5` to the name and the weight in thousandths. `None` for an empty name and a malformed weight.
fn item(text: &str) -> Option<(&str, u16)> {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let mut parameters = parameters.split(';').map(str::trim);
    let weight =
        match parameters.find(|parameter| parameter.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("q="))) {
            None => 1000,
            Some(given) => thousandths(&given[2..])?,
        };
    Some((name.trim(), weight)).filter(|(name, _)| !name.is_empty())
}

/// Parses a weight: `0.25` is 250.
fn thousandths(text: &str) -> Option<u16> {
    let value: f32 = text.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    Some((value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_coding_by_its_weights() {
        let (gzip, deflate) = (Some(Coding::Gzip), Some(Coding::Deflate));
        for (accepted, expected) in [
            ("", None),
            ("gzip", gzip),
            ("GZIP", gzip),
            ("x-gzip", gzip),
            ("deflate", deflate),
            ("deflate, gzip", gzip),
            ("gzip, deflate, br, zstd", gzip),
            ("br", None),
            ("*", gzip),
            ("*;q=0", None),
            ("gzip;q=0", None),
            ("gzip;q=0.0, deflate;q=0.001", deflate),
            ("gzip;q=0, *", deflate),
            ("*;q=0, deflate", deflate),
            ("gzip;q=0.5, deflate;q=0.8", deflate),
            ("gzip ; Q=0.8 , deflate;q=0.5", gzip),
            ("identity, gzip;q=0.5", None),
            ("identity, gzip", gzip),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("gzip;q=x, deflate", deflate),
            ("gzip;q=2", None),
            ("gzip;q=-1", None),
            ("gzip;q=nan", None),
            ("gzip;a=b;q=0", None),
            (";q=1,,", None),
            ("gzipped", None),
        ] {
            assert_eq!(choose(accepted), expected, "{accepted}");
        }
    }
}
