//! `/app/v1/clock` and `/app/v1/random`: the time that scripts see, and the seed of their random numbers.
//!
//! Both are for all requests, or with `?baggage=test=17` for requests whose header `baggage` has that member.

use super::Call;
use super::answer::{Object, failed, json, success};
use super::fields::{self, Parsed, an_object, display, integer, optional, refuse_unknown, text};
use crate::cli::value::clock;
use crate::message::answer::Answer;
use crate::routing::method::is_token;
use crate::simulation::{Clock, ClockChange, Dice, Reading, Rfc3339, SECOND, Scoped, Speed, Start};
use serde_json::{Map, Number, Value};

/// Most characters of a member in a query.
const LONGEST_MEMBER: usize = 256;

/// GET: returns the clock of all requests, and those of members; with a member only its own, or 404.
pub(super) fn get_clock(call: &Call) -> Result<Answer, Answer> {
    let real = Reading::real();
    call.admin
        .activation
        .simulation()
        .look(|set| shown(&set.clocks, call, "clock", |clock| reading(clock, real)))
}

/// PUT: changes a clock; 400 for a wrong change.
pub(super) fn put_clock(call: &Call) -> Result<Answer, Answer> {
    let (member, refused) = (member(call)?, |error: String| failed(400, &error));
    let change = change(&call.request.body).map_err(refused)?;
    let real = Reading::real();
    call.admin.activation.simulation().change(|set| {
        set.clocks.set(member.as_deref(), |clock| change.apply(clock, real)).map_err(refused)?;
        let clock = set.clocks.get(member.as_deref()).cloned().unwrap_or_default();
        Ok(json(200, join(Object::success("the clock is set"), &reading(&clock, real))))
    })
}

/// DELETE: removes all clocks, or that of a member; 404 where it has none.
pub(super) fn delete_clock(call: &Call) -> Result<Answer, Answer> {
    let member = member(call)?;
    let removed = call.admin.activation.simulation().change(|set| set.clocks.remove(member.as_deref()));
    result_of_removal(removed, member, "clock", "scripts see the real time")
}

/// GET: returns the seed of all requests, and those of members; with a member only its own, or 404.
pub(super) fn get_random(call: &Call) -> Result<Answer, Answer> {
    call.admin.activation.simulation().look(|set| shown(&set.dice, call, "seed", state))
}

/// PUT: sets a seed and begins its sequence anew; 400 for a body without a seed.
pub(super) fn put_random(call: &Call) -> Result<Answer, Answer> {
    let (member, refused) = (member(call)?, |error: String| failed(400, &error));
    let seed = seed(&call.request.body).map_err(refused)?;
    call.admin.activation.simulation().change(|set| {
        set.dice.set(member.as_deref(), |_| Ok(Dice::seeded(seed))).map_err(refused)?;
        Ok(json(200, join(Object::success("the seed is set"), &state(&Dice::seeded(seed)))))
    })
}

/// DELETE: removes all seeds, or that of a member; 404 where it has none.
pub(super) fn delete_random(call: &Call) -> Result<Answer, Answer> {
    let member = member(call)?;
    let removed = call.admin.activation.simulation().change(|set| set.dice.remove(member.as_deref()));
    result_of_removal(removed, member, "seed", "random numbers are random")
}

/// Returns what is set for all requests with what is set for members, or what is set for the member of the query.
fn shown<T: Clone + Default>(
    scoped: &Scoped<T>,
    call: &Call,
    kind: &str,
    show: impl Fn(&T) -> Members,
) -> Result<Answer, Answer> {
    if let Some(member) = member(call)? {
        let own = scoped.get(Some(&member)).ok_or_else(|| unset(kind, &member))?;
        return Ok(json(200, join(Object::default(), &show(own))));
    }
    let object = join(Object::default(), &show(scoped.get(None).unwrap_or(&T::default())));
    let members = scoped.members().iter();
    let members = members
        .fold(Object::default(), |all, (name, own)| all.object(name, join(Object::default(), &show(own))));
    Ok(json(200, object.object("baggage", members)))
}

/// The members of an answer for one clock or seed.
type Members = Vec<(&'static str, Value)>;

fn join(object: Object, members: &Members) -> Object {
    members.iter().fold(object, |object, (name, value)| object.field(name, value.clone()))
}

fn reading(clock: &Clock, real: Reading) -> Members {
    let (now, speed) = (clock.at(real).wall, clock.speed());
    vec![
        ("now", Rfc3339(now).to_string().into()),
        ("frozen", (speed == Speed::FROZEN).into()),
        ("speed", decimal(speed.factor())),
        ("shift", decimal((now - real.wall) as f64 / SECOND as f64)),
    ]
}

/// Returns a number without the `.0` of whole ones.
fn decimal(number: f64) -> Value {
    if number.fract() == 0.0 { Value::from(number as i64) } else { Number::from_f64(number).into() }
}

fn state(dice: &Dice) -> Members {
    let (seed, requests) = dice.state().map_or((None, 0), |(seed, requests)| (Some(seed), requests));
    vec![("seed", seed.into()), ("requests", requests.into())]
}

fn unset(kind: &str, member: &str) -> Answer {
    failed(404, &format!("there is no {kind} of `{member}`"))
}

fn result_of_removal(
    removed: usize,
    member: Option<String>,
    kind: &str,
    now: &str,
) -> Result<Answer, Answer> {
    match member {
        None => Ok(success(200, now)),
        Some(member) if removed == 0 => Err(unset(kind, &member)),
        Some(member) => Ok(success(200, &format!("the {kind} of `{member}` has been removed"))),
    }
}

/// Returns the member of `?baggage=`; 400 where it is none, or for another parameter.
fn member(call: &Call) -> Result<Option<String>, Answer> {
    let refused = |why: String| Err(failed(400, &why));
    let mut member = None;
    for (name, value) in call.request.args().iter() {
        // A misspelt parameter must not change the clock of all requests.
        if name != "baggage" {
            return refused(format!("query parameter `{name}` is unknown: there is baggage"));
        }
        if value.chars().count() > LONGEST_MEMBER {
            return refused(format!("query parameter `baggage` is longer than {LONGEST_MEMBER} characters"));
        }
        if !value.split_once('=').is_some_and(|(name, _)| is_token(name)) {
            return refused(format!("query parameter `baggage`: `{value}` is no member such as `test=17`"));
        }
        if member.replace(value.to_owned()).is_some() {
            return refused("query parameter `baggage` is given twice".to_owned());
        }
    }
    Ok(member)
}

/// Parses the body of PUT.
fn object(body: &[u8], example: &str) -> Parsed<Map<String, Value>> {
    let value: Value = fields::json(body)?;
    an_object(&value).cloned().map_err(|error| format!("{error}: send {example}"))
}

fn seed(body: &[u8]) -> Parsed<i64> {
    let object = &object(body, r#"{"seed": 7}"#)?;
    refuse_unknown(object, "seed")?;
    optional(object, "seed", integer)?
        .ok_or_else(|| r#"field `seed` is missing: send {"seed": 7}"#.to_owned())
}

/// Parses a change such as `{"freeze": "2026-01-01T00:00:00Z"}`.
fn change(body: &[u8]) -> Parsed<ClockChange> {
    let object = &object(body, r#"{"freeze": "2026-01-01T00:00:00Z"}"#)?;
    refuse_unknown(object, "freeze, at, shift, advance, speed")?;
    let starts: Vec<&str> =
        ["freeze", "at", "shift"].into_iter().filter(|key| object.contains_key(*key)).collect();
    match starts[..] {
        [one, other, ..] => {
            return Err(format!("fields `{one}` and `{other}`: only one of them can be given"));
        }
        ["freeze"] if object.contains_key("speed") => {
            return Err(
                "fields `freeze` and `speed`: a frozen clock has no speed, so send `at` with `speed`"
                    .to_owned(),
            );
        }
        [] if object.is_empty() => {
            return Err(r#"one of `freeze`, `at`, `shift`, `advance` and `speed` is needed, such as {"freeze": "2026-01-01T00:00:00Z"}"#.to_owned());
        }
        _ => {}
    }
    let freeze = optional(object, "freeze", |value| match value.as_str() {
        Some("now") => Ok(None),
        _ => instant(value).map(Some),
    })?;
    let at = optional(object, "at", instant)?.or(freeze.flatten()).map(Start::At);
    let shift = optional(object, "shift", span)?.map(Start::Shift);
    let speed = optional(object, "speed", |value| clock::speed(fields::number(value)?))?;
    Ok(ClockChange {
        start: at.or(shift),
        advance: optional(object, "advance", span)?.unwrap_or_default(),
        speed: if freeze.is_some() { Some(Speed::FROZEN) } else { speed },
    })
}

fn instant(value: &Value) -> Parsed<i128> {
    match seconds(value) {
        Some(nanoseconds) => Ok(nanoseconds),
        None if value.is_string() => clock::instant(text(value)?),
        None => Err(format!(
            "{} is no time: send \"2026-01-01T00:00:00Z\", or seconds since 1970",
            display(value)
        )),
    }
}

fn span(value: &Value) -> Parsed<i128> {
    match seconds(value) {
        Some(nanoseconds) => Ok(nanoseconds),
        None if value.is_string() => clock::span(text(value)?),
        None => Err(format!("{} is no span of time: send \"+2h\", or seconds", display(value))),
    }
}

/// Returns the nanoseconds of a number of seconds. A fraction counts to the microsecond, as in Python. A number far outside of the
/// calendar becomes the nearest one of 64 bits, which is outside, too.
fn seconds(value: &Value) -> Option<i128> {
    if let Some(seconds) = value.as_i64() {
        return Some(i128::from(seconds) * SECOND);
    }
    // A cast saturates: no number of seconds wraps to another one, and sums of such numbers fit.
    let microseconds = (value.as_f64()? * 1e6).round() as i64;
    Some(i128::from(microseconds) * 1_000)
}

#[cfg(test)]
mod tests;
