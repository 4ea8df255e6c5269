//! `random.*`: numbers and choices, from a generator per thread. Not for secrets.

use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_ITEMS, too_many};
use rhai::{Array, Dynamic};

#[derive(Debug, Clone)]
pub(crate) struct Random;

/// `random.randint(low, high)`: both ends included.
fn randint(low: i64, high: i64) -> Fallible<i64> {
    if low > high {
        return Err(format!("random.randint: {low} is above {high}").into());
    }
    Ok(fastrand::i64(low..=high))
}

/// `random.randrange(start, stop, step)`: one of `start`, `start + step`, ... before `stop`.
fn randrange(start: i64, stop: i64, step: i64) -> Fallible<i64> {
    let (wide, stride) = (i128::from(stop) - i128::from(start), i128::from(step));
    if stride == 0 {
        return Err("random.randrange: the step is 0".into());
    }
    let count = (wide + stride - stride.signum()) / stride;
    if count <= 0 {
        return Err(
            format!("random.randrange: there is nothing from {start} to {stop} in steps of {step}").into()
        );
    }
    let steps = fastrand::u64(0..u64::try_from(count).unwrap_or(u64::MAX));
    i64::try_from(i128::from(start) + i128::from(steps) * stride).map_err(|error| error.to_string().into())
}

fn choice(list: &Array) -> Fallible<Dynamic> {
    if list.is_empty() {
        return Err("random.choice: the list is empty".into());
    }
    Ok(list[fastrand::usize(..list.len())].clone())
}

/// `random.choice(text)`: one character, as text.
fn letter(text: &str) -> Fallible<String> {
    let count = text.chars().count();
    if count == 0 {
        return Err("random.choice: the text is empty".into());
    }
    Ok(text.chars().nth(fastrand::usize(..count)).map(String::from).unwrap_or_default())
}

/// `random.sample(list, count)`: `count` different places of the list, in random order.
fn sample(list: &Array, count: i64) -> Fallible<Array> {
    let wanted = usize::try_from(count).ok().filter(|count| *count <= list.len());
    let Some(wanted) = wanted else {
        return Err(format!("random.sample: can't take {count} of {} items", list.len()).into());
    };
    if list.len() > MAX_ITEMS {
        return Err(too_many("random.sample"));
    }
    let mut places: Vec<usize> = (0..list.len()).collect();
    fastrand::shuffle(&mut places);
    Ok(places.into_iter().take(wanted).map(|place| list[place].clone()).collect())
}

fn uniform(low: f64, high: f64) -> f64 {
    low + (high - low) * fastrand::f64()
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("random", Random);
    natives.register_fn("random", |_: Receiver<Random>| fastrand::f64());
    natives.register_fn("randint", |_: Receiver<Random>, low: i64, high: i64| randint(low, high));
    natives.register_fn("randrange", |_: Receiver<Random>, stop: i64| randrange(0, stop, 1));
    natives.register_fn("randrange", |_: Receiver<Random>, start: i64, stop: i64| randrange(start, stop, 1));
    natives.register_fn("randrange", |_: Receiver<Random>, start: i64, stop: i64, step: i64| {
        randrange(start, stop, step)
    });
    natives.register_fn("uniform", |_: Receiver<Random>, low: f64, high: f64| uniform(low, high));
    natives
        .register_fn("uniform", |_: Receiver<Random>, low: i64, high: i64| uniform(low as f64, high as f64));
    natives.register_fn("uniform", |_: Receiver<Random>, low: f64, high: i64| uniform(low, high as f64));
    natives.register_fn("uniform", |_: Receiver<Random>, low: i64, high: f64| uniform(low as f64, high));
    natives.register_fn("choice", |_: Receiver<Random>, list: Array| choice(&list));
    natives.register_fn("choice", |_: Receiver<Random>, text: &str| letter(text));
    natives.register_fn("sample", |_: Receiver<Random>, list: Array, count: i64| sample(&list, count));
    natives.register_fn("shuffle", |_: Receiver<Random>, list: Array| {
        let mut list = list;
        fastrand::shuffle(&mut list);
        list
    });
    natives.register_fn("seed", |_: Receiver<Random>, seed: i64| fastrand::seed(seed.cast_unsigned()));
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn numbers_and_choices_stay_within_their_bounds() {
        yields(&[
            (
                "let ok = true; for i in 0..200 { let n = random.randint(3, 5); ok = ok && n >= 3 && n <= 5; } ok",
                "true",
            ),
            ("random.randint(7, 7)", "7"),
            ("random.randint(-9223372036854775807 - 1, 9223372036854775807) == ()", "false"),
            (
                "let seen = #{}; for i in 0..200 { seen[`${random.randint(1, 3)}`] = 1; } seen.keys()",
                r#"["1", "2", "3"]"#,
            ),
            (
                "let seen = #{}; for i in 0..200 { seen[`${random.randrange(0, 10, 4)}`] = 1; } seen.keys()",
                r#"["0", "4", "8"]"#,
            ),
            (
                "let seen = #{}; for i in 0..200 { seen[`${random.randrange(3, 0, -2)}`] = 1; } seen.keys()",
                r#"["1", "3"]"#,
            ),
            ("random.randrange(1)", "0"),
            ("let n = random.random(); n >= 0.0 && n < 1.0", "true"),
            ("let n = random.uniform(2, 3.0); n >= 2.0 && n <= 3.0", "true"),
            ("[\"a\"].contains(random.choice([\"a\"]))", "true"),
            ("random.choice(\"ä\")", "\"ä\""),
            ("random.sample([1, 2, 3], 3).sorted()", "[1, 2, 3]"),
            ("random.sample([1, 2, 3], 0)", "[]"),
            ("let a = [1, 2, 3]; let b = random.shuffle(a); [a, sorted(b)]", "[[1, 2, 3], [1, 2, 3]]"),
            ("random.seed(7); let a = random.random(); random.seed(7); a == random.random()", "true"),
        ]);
    }

    #[test]
    fn impossible_choices_are_errors() {
        fails(&[
            ("random.randint(5, 3)", "random.randint: 5 is above 3"),
            ("random.randrange(0)", "random.randrange: there is nothing from 0 to 0 in steps of 1"),
            ("random.randrange(0, 5, 0)", "random.randrange: the step is 0"),
            ("random.choice([])", "random.choice: the list is empty"),
            ("random.choice(\"\")", "random.choice: the text is empty"),
            ("random.sample([1], 2)", "random.sample: can't take 2 of 1 items"),
            ("random.sample([1], -1)", "random.sample: can't take -1 of 1 items"),
        ]);
    }
}
