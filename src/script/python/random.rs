//! `random.*`: random numbers and choices. They can be guessed, so they are not for secrets.

use super::unknown_option;
use crate::script::runtime::chance::{self, for_random};
use crate::script::runtime::frozen::{FrozenList, as_list};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_ITEMS, collect, too_many, type_name};
use fastrand::Rng;
use rhai::{Array, Dynamic, Map};

#[derive(Debug, Clone)]
pub(crate) struct Random;

/// Returns a number from 0 to 1, without 1.
fn fraction() -> f64 {
    for_random(Rng::f64)
}

/// Returns a number below `end`, which is not 0.
fn below(end: u64) -> u64 {
    for_random(|random| random.u64(..end))
}

/// Returns a place among `count` items. It is drawn with 64 bits on every machine, so that a seed gives the same places.
fn place_below(count: usize) -> usize {
    usize::try_from(below(count as u64)).unwrap_or_default()
}

/// Puts `items` in random order (Fisher and Yates).
fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, place_below(last + 1));
    }
}

/// `random.randint(low, high)`: a number from `low` to `high`, both included.
fn randint(low: i64, high: i64) -> Fallible<i64> {
    if low > high {
        return Err(format!("random.randint: {low} is above {high}").into());
    }
    Ok(for_random(|random| random.i64(low..=high)))
}

/// `random.randrange(start, stop, step)`: one of the numbers `start`, `start + step`, ... before `stop`.
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
    let steps = below(u64::try_from(count).unwrap_or(u64::MAX));
    i64::try_from(i128::from(start) + i128::from(steps) * stride).map_err(|error| error.to_string().into())
}

/// Returns a random place in a list or a text of `count` items.
fn place(kind: &str, count: usize) -> Fallible<usize> {
    if count == 0 {
        return Err(format!("random.choice: the {kind} is empty").into());
    }
    Ok(place_below(count))
}

/// `random.sample(list, count)`: the items of `count` different places, in random order.
fn sample(list: &Array, count: i64) -> Fallible<Array> {
    let wanted = usize::try_from(count).ok().filter(|count| *count <= list.len());
    let Some(wanted) = wanted else {
        return Err(format!("random.sample: can't take {count} of {} items", list.len()).into());
    };
    if list.len() > MAX_ITEMS {
        return Err(too_many("random.sample"));
    }
    let mut places: Vec<usize> = (0..list.len()).collect();
    shuffle(&mut places);
    Ok(places.into_iter().take(wanted).map(|place| list[place].clone()).collect())
}

/// Returns the items of a list, or the characters of a text.
fn population(name: &str, from: &Dynamic) -> Fallible<Array> {
    if let Some(list) = as_list(from) {
        return Ok(list.to_vec());
    }
    match from.as_immutable_string_ref() {
        Ok(text) => collect(name, text.chars().map(|letter| letter.to_string().into())),
        Err(_) => Err(format!("{name}: needs a list or text, not {}", type_name(from)).into()),
    }
}

/// Returns for each weight the sum of the weights up to it.
fn cumulated(weights: &Dynamic, count: usize) -> Fallible<Vec<f64>> {
    let weights = as_list(weights).ok_or("random.choices: the weights are a list of numbers")?;
    if weights.len() != count {
        let given = weights.len();
        return Err(format!("random.choices: there are {given} weights for {count} items").into());
    }
    let (mut sums, mut total) = (Vec::with_capacity(count), 0.0);
    for weight in weights.iter() {
        let number = weight.as_float().or_else(|_| weight.as_int().map(|number| number as f64));
        total += number
            .ok()
            .filter(|number| *number >= 0.0)
            .ok_or("random.choices: a weight is a number from 0 on")?;
        sums.push(total);
    }
    if total > 0.0 && total.is_finite() {
        Ok(sums)
    } else {
        Err("random.choices: the weights add up to nothing".into())
    }
}

/// `random.choices(from, weights, k)`: `k` items, which may repeat.
fn choices(from: &Dynamic, weights: Option<&Dynamic>, k: i64) -> Fallible<Array> {
    let name = "random.choices";
    let items = population(name, from)?;
    let k = usize::try_from(k).unwrap_or(0);
    if k > MAX_ITEMS {
        return Err(too_many(name));
    }
    if items.is_empty() && k > 0 {
        return Err("random.choices: there is nothing to choose from".into());
    }
    let Some(weights) = weights else {
        return Ok((0..k).map(|_| items[place_below(items.len())].clone()).collect());
    };
    let sums = cumulated(weights, items.len())?;
    let total = sums.last().copied().unwrap_or_default();
    let draw = || {
        let number = fraction() * total;
        items[sums.partition_point(|sum| *sum <= number).min(items.len() - 1)].clone()
    };
    Ok((0..k).map(|_| draw()).collect())
}

/// `random.choices(from, #{ weights: [1, 2], k: 3 })`.
fn choices_with(from: &Dynamic, options: &Map) -> Fallible<Array> {
    let (mut weights, mut k) = (None, 1);
    for (option, value) in options {
        match option.as_str() {
            "weights" if value.is_unit() => {}
            "weights" => weights = Some(value),
            "k" => {
                k = value.as_int().map_err(|kind| format!("random.choices: `k` is an integer, not {kind}"))?
            }
            other => return Err(unknown_option("random.choices", other, &["weights", "k"])),
        }
    }
    choices(from, weights, k)
}

fn register_choices(natives: &mut Natives) {
    natives.register_fn("choices", |_: Receiver<Random>, from: Dynamic| choices(&from, None, 1));
    natives.register_fn("choices", |_: Receiver<Random>, from: Dynamic, k: i64| choices(&from, None, k));
    natives.register_fn("choices", |_: Receiver<Random>, from: Dynamic, weights: Array| {
        choices(&from, Some(&weights.into()), 1)
    });
    natives.register_fn("choices", |_: Receiver<Random>, from: Dynamic, weights: Dynamic, k: i64| {
        choices(&from, Some(&weights).filter(|weights| !weights.is_unit()), k)
    });
    natives.register_fn("choices", |_: Receiver<Random>, from: Dynamic, options: Map| {
        choices_with(&from, &options)
    });
    natives.register_fn("sample", |_: Receiver<Random>, text: &str, count: i64| {
        sample(&population("random.sample", &text.into())?, count)
    });
}

fn uniform(low: f64, high: f64) -> f64 {
    low + (high - low) * fraction()
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("random", Random);
    natives.register_fn("random", |_: Receiver<Random>| fraction());
    natives.register_fn("randint", |_: Receiver<Random>, low: i64, high: i64| randint(low, high));
    natives.register_fn("randrange", |_: Receiver<Random>, stop: i64| randrange(0, stop, 1));
    natives.register_optional("randrange", 1_i64, |_: Receiver<Random>, start: i64, stop: i64, step: i64| {
        randrange(start, stop, step)
    });
    natives.register_fn("uniform", |_: Receiver<Random>, low: f64, high: f64| uniform(low, high));
    natives
        .register_fn("uniform", |_: Receiver<Random>, low: i64, high: i64| uniform(low as f64, high as f64));
    natives.register_fn("uniform", |_: Receiver<Random>, low: f64, high: i64| uniform(low, high as f64));
    natives.register_fn("uniform", |_: Receiver<Random>, low: i64, high: f64| uniform(low as f64, high));
    natives.register_fn("choice", |_: Receiver<Random>, list: Array| -> Fallible<Dynamic> {
        Ok(list[place("list", list.len())?].clone())
    });
    natives.register_fn("choice", |_: Receiver<Random>, list: FrozenList| -> Fallible<Dynamic> {
        Ok(list.get(place("list", list.len())?).cloned().unwrap_or_default())
    });
    natives.register_fn("choice", |_: Receiver<Random>, text: &str| -> Fallible<Dynamic> {
        let letter = text.chars().nth(place("text", text.chars().count())?);
        Ok(letter.map(String::from).unwrap_or_default().into())
    });
    natives.register_fn("sample", |_: Receiver<Random>, list: Array, count: i64| sample(&list, count));
    natives.register_fn("shuffle", |_: Receiver<Random>, mut list: Array| {
        shuffle(&mut list);
        list
    });
    register_choices(natives);
    natives.register_fn("seed", |_: Receiver<Random>| chance::seed(None));
    natives.register_fn("seed", |_: Receiver<Random>, seed: i64| chance::seed(Some(seed)));
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
            ("random.choices([7], 3) + random.choices([8])", "[7, 7, 7, 8]"),
            (
                "[random.choices([1, 2, 3], [0, 1, 0], 2), random.choices([1, 2], [0.0, 0.5])]",
                "[[2, 2], [2]]",
            ),
            (
                "[random.choices([1, 2], #{ weights: [1, 0], k: 2 }), random.choices(\"a\", #{ k: 2 })]",
                r#"[[1, 1], ["a", "a"]]"#,
            ),
            ("[random.choices([], 0), random.choices([1], -1), random.choices([1], (), 1)]", "[[], [], [1]]"),
            ("\"\".join(random.choices(string.ascii_letters + string.digits, 12)).isalnum()", "true"),
            (
                "let n = 0; for x in random.choices([1, 0], [9, 1], 2000) { n += x; } n > 1700 && n < 1900",
                "true",
            ),
            ("sorted(random.sample(\"abc\", 3))", r#"["a", "b", "c"]"#),
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
            ("random.choices([])", "random.choices: there is nothing to choose from"),
            ("random.choices([1], [1, 2], 1)", "random.choices: there are 2 weights for 1 items"),
            ("random.choices([1], [0], 1)", "random.choices: the weights add up to nothing"),
            ("random.choices([1], [-1], 1)", "random.choices: a weight is a number from 0 on"),
            (
                "random.choices([1], #{ n: 1 })",
                "random.choices: unknown option `n`: there are `weights` and `k`",
            ),
            ("random.choices(1)", "random.choices: needs a list or text, not i64"),
            ("random.choices([1], 600000)", "random.choices: the result has more than 524288 items"),
            ("random.sample([1], -1)", "random.sample: can't take -1 of 1 items"),
        ]);
    }
}
