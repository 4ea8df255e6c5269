//! Arithmetic and comparisons of datetimes, dates and timedeltas.

use super::exact::{Failure, nearest, product, quotient, ratio};
use super::within;
use crate::script::runtime::datetime::{Date, DateTime, TimeDelta, Timezone};
use crate::script::runtime::natives::{Fallible, Natives};
use std::cmp::Ordering;

fn delta(micros: Option<i128>) -> Fallible<TimeDelta> {
    micros.and_then(TimeDelta::new).ok_or_else(|| "timedelta: the result is beyond 999999999 days".into())
}

fn negated(span: TimeDelta) -> Fallible<TimeDelta> {
    delta(Some(-span.micros()))
}

fn mixed() -> Box<rhai::EvalAltResult> {
    "datetime: one has a timezone and the other has none: give both one, `x.replace(#{ tzinfo: timezone.utc })`"
        .into()
}

fn by_zero() -> Box<rhai::EvalAltResult> {
    "timedelta: division by zero".into()
}

/// Returns the result of a multiplication or division by a float.
fn scaled(micros: Result<i128, Failure>) -> Fallible<TimeDelta> {
    match micros {
        Ok(micros) => delta(Some(micros)),
        Err(Failure::TooLarge) => delta(None),
        Err(Failure::ByZero) => Err(by_zero()),
        Err(Failure::NotFinite) => {
            Err("timedelta: infinity and NaN have no product or quotient with it".into())
        }
    }
}

fn register_sums(natives: &mut Natives) {
    natives.register_fn("+", |moment: DateTime, span: TimeDelta| within("datetime", moment.plus(span)));
    natives.register_fn("+", |span: TimeDelta, moment: DateTime| within("datetime", moment.plus(span)));
    natives.register_fn("-", |moment: DateTime, span: TimeDelta| {
        within("datetime", moment.plus(negated(span)?))
    });
    natives.register_fn("-", |left: DateTime, right: DateTime| left.minus(&right).ok_or_else(mixed));
    natives.register_fn("+", |date: Date, span: TimeDelta| within("date", date.plus(span)));
    natives.register_fn("+", |span: TimeDelta, date: Date| within("date", date.plus(span)));
    // Only whole days count. They are rounded down before the negation, not after it.
    natives.register_fn("-", |date: Date, span: TimeDelta| {
        let days = TimeDelta::new(-span.days() * i128::from(crate::script::runtime::datetime::DAY));
        within("date", days.and_then(|days| date.plus(days)))
    });
    natives.register_fn("-", |left: Date, right: Date| {
        let days = i128::from((left.0 - right.0).num_days());
        delta(Some(days * i128::from(crate::script::runtime::datetime::DAY)))
    });
    natives.register_fn("+", |left: TimeDelta, right: TimeDelta| delta(Some(left.micros() + right.micros())));
    natives.register_fn("-", |left: TimeDelta, right: TimeDelta| delta(Some(left.micros() - right.micros())));
    natives.register_fn("-", negated);
    natives.register_fn("+", |span: TimeDelta| span);
    natives.register_fn("abs", |span: TimeDelta| delta(Some(span.micros().abs())));
}

fn register_products(natives: &mut Natives) {
    natives.register_fn("*", |span: TimeDelta, by: i64| delta(span.micros().checked_mul(by.into())));
    natives.register_fn("*", |by: i64, span: TimeDelta| delta(span.micros().checked_mul(by.into())));
    natives.register_fn("*", |span: TimeDelta, by: f64| scaled(product(span.micros(), by)));
    natives.register_fn("*", |by: f64, span: TimeDelta| scaled(product(span.micros(), by)));
    natives.register_fn("/", |span: TimeDelta, by: i64| {
        delta(Some(nearest(span.micros(), by.into()).ok_or_else(by_zero)?))
    });
    natives.register_fn("/", |span: TimeDelta, by: f64| scaled(quotient(span.micros(), by)));
    natives.register_fn("/", |left: TimeDelta, right: TimeDelta| -> Fallible<f64> {
        if right.micros() == 0 {
            return Err(by_zero());
        }
        Ok(ratio(left.micros(), right.micros()))
    });
    natives.register_fn("%", |left: TimeDelta, right: TimeDelta| {
        let (left, right) = (left.micros(), right.micros());
        if right == 0 {
            return Err(by_zero());
        }
        let rest = left.rem_euclid(right);
        // The result has the sign of the right side, as in Python.
        delta(Some(if right < 0 && rest != 0 { rest + right } else { rest }))
    });
}

type Holds = fn(Ordering) -> bool;

const ORDERS: [(&str, Holds); 4] =
    [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];

fn register_comparisons(natives: &mut Natives) {
    for (name, holds) in ORDERS {
        natives.register_fn(name, move |left: DateTime, right: DateTime| -> Fallible<bool> {
            Ok(holds(left.minus(&right).ok_or_else(mixed)?.micros().cmp(&0)))
        });
        natives.register_fn(name, move |left: Date, right: Date| holds(left.0.cmp(&right.0)));
        natives.register_fn(name, move |left: TimeDelta, right: TimeDelta| {
            holds(left.micros().cmp(&right.micros()))
        });
    }
    // A datetime with a timezone never equals one without.
    let same = |left: &DateTime, right: &DateTime| left.minus(right).is_some_and(|span| span.micros() == 0);
    natives.register_fn("==", move |left: DateTime, right: DateTime| same(&left, &right));
    natives.register_fn("!=", move |left: DateTime, right: DateTime| !same(&left, &right));
    natives.register_fn("==", |left: Date, right: Date| left == right);
    natives.register_fn("!=", |left: Date, right: Date| left != right);
    natives.register_fn("==", |left: TimeDelta, right: TimeDelta| left == right);
    natives.register_fn("!=", |left: TimeDelta, right: TimeDelta| left != right);
    natives.register_fn("==", |left: Timezone, right: Timezone| left == right);
    natives.register_fn("!=", |left: Timezone, right: Timezone| left != right);
}

pub(super) fn register(natives: &mut Natives) {
    register_sums(natives);
    register_products(natives);
    register_comparisons(natives);
}
