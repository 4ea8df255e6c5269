//! Path and method -> rule, as Werkzeug does it.
//!
//! A table of rules and the requests that each serves; a test reads it from here.
//!
//! | rule | request | answer |
//! | --- | --- | --- |
//! | `/orders` | `GET /orders` | `/orders` |
//! | | `HEAD /orders` | `/orders` |
//! | | `PATCH /orders` | 405 `DELETE,GET,HEAD,OPTIONS,POST` |
//! | `DELETE,POST /orders` | `DELETE /orders` | `DELETE,POST /orders` |
//! | `/orders/<int:id>` | `GET /orders/007` | `/orders/<int:id>` `id=7` |
//! | `/orders/new` | `GET /orders/new` | `/orders/new` |
//! | `/orders/<name>` | `GET /orders/old` | `/orders/<name>` `name=old` |
//! | | `GET /orders/old/7` | `/<path:rest>` `rest=orders/old/7` |
//! | `/orders/<int:id>-<any(pdf,csv):kind>` | `GET /orders/7-csv` | `/orders/<int:id>-<any(pdf,csv):kind>` `id=7` `kind=csv` |
//! | `/docs/` | `GET /docs/` | `/docs/` |
//! | | `GET /docs` | 308 `/docs/` |
//! | | `GET /docs//` | 308 `/docs/` |
//! | `/loose/` strict_slashes=false | `GET /loose` | `/loose/` |
//! | `/page/<int:n>` | `GET /page/2` | `/page/<int:n>` `n=2` |
//! | `/page/` n=1 | `GET /page/1` | 308 `/page/` |
//! | `/<path:rest>` | `GET /else` | `/<path:rest>` `rest=else` |
//! | `/else` host=`<user>.example` | `GET ann.example/else` | `/else` `user=ann` |
//! | | `GET /` | 404 |
//!
//! `rule.rs` is one rule: a `pattern.rs` with a `converter.rs` for each variable, which makes a `value.rs` of its text.
//! `router.rs` holds all rules. Its `index.rs` finds the few that may match a path, at a cost that does not grow with their number.
//! `shadows.rs` finds the rules that never serve.
//! `near_miss.rs` finds the closest rules if none serves. `quoting.rs` encodes and decodes parts of URLs.

pub(crate) mod converter;
pub(crate) mod host;
mod index;
pub(crate) mod method;
pub(crate) mod near_miss;
pub(crate) mod pattern;
pub(crate) mod quoting;
pub(crate) mod redirect;
pub(crate) mod router;
pub(crate) mod rule;
pub(crate) mod shadows;
pub(crate) mod value;

#[cfg(test)]
mod tests;
