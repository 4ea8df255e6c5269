//! Path and method -> rule, as Werkzeug does it: rules and their converters, the table of all rules, the closest ones where none serves.

pub mod converter;
pub mod index;
pub mod near_miss;
pub mod pattern;
pub mod quoting;
pub mod router;
pub mod rule;
pub mod value;
