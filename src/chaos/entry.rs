//! One entry of chaos: the requests that it applies to, and its effect on them.

use super::delay::Delay;
use super::injected::{Breaking, Dribble};
use super::stream_faults::StreamAct;
use crate::message::answer::Answer;
use crate::routing::rule::{Rule, RuleOptions};
use crate::system::lock::lock;
use crate::system::wildcard;
use fastrand::Rng;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Most bytes of a rule, endpoint or path. Comparing a text with stars takes the product of both lengths.
const MOST_TEXT: usize = 1000;

/// The requests that an entry applies to. All conditions must hold.
#[derive(Debug, Default)]
pub struct Target {
    /// The method, in any case.
    pub method: Option<String>,
    /// The text of the rule that serves the request. If no rule serves it, its path is compared with the pattern.
    pub rule: Option<(Text, Option<Paths>)>,
    pub endpoint: Option<Text>,
    pub path: Option<Paths>,
    /// The name of the overlay that answers; empty for the active provision.
    pub overlay: Option<String>,
}

/// A text in which `*` matches any text.
#[derive(Debug)]
pub struct Text(String);

/// A pattern for paths.
#[derive(Debug)]
pub enum Paths {
    /// A rule with variables and converters.
    Rule(Box<Rule>),
    /// A text, perhaps with stars.
    Text(Text),
}

#[derive(Debug, Default, PartialEq)]
pub struct Act {
    pub delay: Option<Delay>,
    pub dribble: Option<Dribble>,
    pub breaking: Option<Breaking>,
    /// The answer in place of the script's. The script does not run.
    pub replacement: Option<Answer>,
    /// The faults of an answer that is a stream.
    pub stream: Option<StreamAct>,
}

#[derive(Debug)]
pub struct Entry {
    pub target: Target,
    pub act: Act,
    /// Share of the target's requests that the entry is applied to, from 0 to 1.
    pub probability: f64,
    /// Most requests that the entry is applied to.
    pub times: Option<u64>,
    pub until: Option<Instant>,
    /// The JSON that was sent.
    pub given: Value,
    /// Bytes of that JSON.
    pub size: usize,
    pub course: Mutex<Course>,
}

/// The state of an entry.
#[derive(Debug)]
pub struct Course {
    pub random: Rng,
    /// Number of requests that the entry was applied to.
    pub hits: u64,
}

impl Text {
    /// Creates a pattern from `text`.
    ///
    /// # Errors
    /// `text` is empty or too long. The caller puts a name in front of the error.
    pub fn new(text: &str) -> Result<Text, String> {
        match text.len() {
            0 => Err("it is empty".to_owned()),
            1..=MOST_TEXT => Ok(Text(text.to_owned())),
            length => Err(format!("its {length} bytes are more than {MOST_TEXT}")),
        }
    }

    fn has_star(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether the pattern matches `text`.
    pub fn fits(&self, text: &str) -> bool {
        wildcard::fits(&self.0, text)
    }
}

impl Paths {
    /// Parses a pattern for paths.
    ///
    /// # Errors
    /// `text` is not a pattern for paths. The caller puts a name in front of the error.
    pub fn new(text: &str) -> Result<Paths, String> {
        let plain = Text::new(text)?;
        if !text.contains('<') {
            return Ok(Paths::Text(plain));
        }
        if plain.has_star() {
            return Err("it has both `*` and `<`: `<path:rest>` stands for any text".to_owned());
        }
        let options = RuleOptions { strict_slashes: Some(false), ..RuleOptions::default() };
        Ok(Paths::Rule(Box::new(Rule::parse(text, "", options).map_err(|error| error.to_string())?)))
    }

    fn fit(&self, path: &str) -> bool {
        match self {
            Paths::Rule(rule) => rule.matches(path).is_some(),
            Paths::Text(text) => text.fits(path),
        }
    }
}

impl Target {
    /// Parses the text of a rule. A text with stars stands for several rules.
    ///
    /// # Errors
    /// `text` is empty, too long or malformed. The caller puts a name in front of the error.
    pub fn rule(text: &str) -> Result<(Text, Option<Paths>), String> {
        let plain = Text::new(text)?;
        // A text with a star and variables matches only texts of rules. It is not a pattern for paths.
        let paths = match plain.has_star() && text.contains('<') {
            true => None,
            false => Some(Paths::new(text)?),
        };
        Ok((plain, paths))
    }

    /// Whether the target includes a request of `method` to `path`, which `rule` serves, in any layer.
    pub fn fits(&self, method: &str, path: &str, rule: Option<&Rule>) -> bool {
        let by_rule = |(text, paths): &(Text, Option<Paths>)| match rule {
            Some(rule) => text.0 == rule.pattern() || text.fits(rule.pattern()),
            None => paths.as_ref().is_some_and(|paths| paths.fit(path)),
        };
        self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method))
            && self.rule.as_ref().is_none_or(by_rule)
            && self.endpoint.as_ref().is_none_or(|own| rule.is_some_and(|rule| own.fits(rule.endpoint())))
            && self.path.as_ref().is_none_or(|own| own.fit(path))
    }
}

impl Entry {
    pub fn course(&self) -> MutexGuard<'_, Course> {
        lock(&self.course)
    }

    /// Whether the entry has ended: its time is over, or it was applied to all of its `times`.
    pub fn has_ended(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
            || self.times.is_some_and(|times| self.course().hits >= times)
    }

    /// Whether the entry is applied to streams alone. Other answers don't count then.
    pub fn is_for_streams(&self) -> bool {
        let Act { delay, dribble, breaking, replacement, .. } = &self.act;
        delay.is_none() && dribble.is_none() && breaking.is_none() && replacement.is_none()
    }

    /// Draws whether the entry is applied to a request of its target. If so, returns the delay, and the generator of further draws.
    pub fn strikes(&self) -> Option<(Duration, Rng)> {
        let mut course = self.course();
        if self.times.is_some_and(|times| course.hits >= times) {
            return None;
        }
        // Each request takes one step of the sequence, also if the entry is not applied to it.
        let mut random = course.random.fork();
        if random.f64() >= self.probability {
            return None;
        }
        course.hits += 1;
        let delay = self.act.delay.map_or(Duration::ZERO, |delay| delay.draw(&mut random));
        Some((delay, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_compared_by_their_text_and_by_the_path_where_no_rule_serves() {
        let rule = Rule::parse("/orders/<int:id>", "shop.order", RuleOptions::default()).unwrap();
        let of_rule = |text: &str| Target { rule: Some(Target::rule(text).unwrap()), ..Target::default() };
        let cases = [
            ("/orders/<int:id>", "/orders/7", Some(&rule), true),
            ("/orders/*", "/orders/7", Some(&rule), true),
            ("/orders/<int:*", "/orders/7", Some(&rule), true),
            // Another rule, though it has the same paths.
            ("/orders/<int:n>", "/orders/7", Some(&rule), false),
            ("/orders/7", "/orders/7", Some(&rule), false),
            ("/orders/<int:n>", "/orders/7", None, true),
            ("/orders/<int:n>", "/orders/seven", None, false),
            ("/orders/7", "/orders/7", None, true),
            ("/ord*", "/orders/7", None, true),
            ("/orders/<int:*", "/orders/7", None, false),
        ];
        for (text, path, rule, fits) in cases {
            assert_eq!(of_rule(text).fits("GET", path, rule), fits, "{text} {path} {}", rule.is_some());
        }
    }

    #[test]
    fn all_conditions_of_a_target_must_hold() {
        let rule = Rule::parse("/orders/<int:id>", "shop.order", RuleOptions::default()).unwrap();
        let target = |method: &str, endpoint: &str, path: &str| Target {
            method: Some(method.to_owned()),
            endpoint: Some(Text::new(endpoint).unwrap()),
            path: Some(Paths::new(path).unwrap()),
            rule: None,
            overlay: None,
        };
        let cases = [
            ("get", "shop.order", "/orders/<id>", true),
            ("POST", "shop.order", "/orders/<id>", false),
            ("GET", "shop.*", "/orders/7", true),
            ("GET", "order", "/orders/7", false),
            ("GET", "shop.order", "/orders/8", false),
            ("GET", "*", "*7", true),
        ];
        for (method, endpoint, path, fits) in cases {
            let target = target(method, endpoint, path);
            assert_eq!(target.fits("GET", "/orders/7", Some(&rule)), fits, "{method} {endpoint} {path}");
            assert!(!target.fits("GET", "/orders/7", None), "an endpoint needs a rule");
        }
        assert!(Target::default().fits("BREW", "/", None));
    }

    #[test]
    fn an_invalid_pattern_is_an_error_that_names_it() {
        let long = "x".repeat(1001);
        let cases = [
            ("", "it is empty"),
            (&*long, "its 1001 bytes are more than 1000"),
            ("/a/*/<b>", "it has both `*` and `<`: `<path:rest>` stands for any text"),
            ("/a/<int:7>", "rule `/a/<int:7>`: malformed variable `<int:7>`"),
        ];
        for (text, error) in cases {
            assert_eq!(Paths::new(text).unwrap_err(), error);
        }
        assert!(Target::rule("/a/*/<b>").is_ok());
        assert_eq!(
            Target::rule("/a/<int:7>").unwrap_err(),
            "rule `/a/<int:7>`: malformed variable `<int:7>`"
        );
    }
}
