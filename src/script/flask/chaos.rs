//! `response.delay(ms)`, `delay_uniform`, `delay_lognormal`, `dribble` and `fault`: a script makes an answer slow, or makes it
//! fail.
//!
//! Each method returns the response, so that calls can be chained: `make_response("a").delay(200).dribble(10, 50)`. The last
//! argument may be a map with `probability` (0 to 1) and `seed`.

use super::response::Response;
use super::sleep::prolong;
use crate::chaos::{Breaking, Delay, Dribble, probability};
use crate::script::runtime::call;
use crate::script::runtime::chance::for_identifiers;
use crate::script::runtime::natives::{Fallible, Natives};
use fastrand::Rng;
use rhai::{Dynamic, Map};

/// Draws whether a call with these options has an effect. Returns the generator for further draws if so.
fn chance(name: &str, options: &Map) -> Fallible<Option<Rng>> {
    let (mut share, mut seed) = (1.0, None);
    for (key, value) in options {
        match key.as_str() {
            "probability" => {
                share = probability(number(name, value)?).map_err(|error| format!("{name}: {error}"))?
            }
            "seed" => {
                seed =
                    Some(value.as_int().map_err(|kind| format!("{name}: `seed` is an integer, not {kind}"))?)
            }
            other => {
                return Err(
                    format!("{name}: option `{other}` is unknown: there are probability and seed").into()
                );
            }
        }
    }
    let mut random = match seed {
        Some(_) => call::files()?.draws.next(seed).map_err(|error| format!("{name}: {error}"))?,
        None => for_identifiers(Rng::fork),
    };
    Ok((random.f64() < share).then_some(random))
}

fn number(name: &str, value: &Dynamic) -> Fallible<f64> {
    let number = value.as_float().or_else(|_| value.as_int().map(|number| number as f64));
    Ok(number.map_err(|kind| format!("{name} takes numbers, not {kind}"))?)
}

fn delay(response: &Response, name: &str, delay: Result<Delay, String>, options: &Map) -> Fallible<Response> {
    let delay = delay.map_err(|error| format!("{name}: {error}"))?;
    if let Some(mut random) = chance(name, options)? {
        let pause = delay.draw(&mut random);
        let mut reply = response.lock();
        if matches!(delay, Delay::Fixed(_)) {
            prolong(reply.hold, pause)?;
        }
        reply.delay(pause, "");
    }
    Ok(response.clone())
}

fn fixed(response: &mut Response, ms: Dynamic, options: Map) -> Fallible<Response> {
    delay(response, "delay", Delay::fixed(number("delay", &ms)?), &options)
}

fn uniform(response: &mut Response, low: Dynamic, high: Dynamic, options: Map) -> Fallible<Response> {
    let name = "delay_uniform";
    delay(response, name, Delay::uniform(number(name, &low)?, number(name, &high)?), &options)
}

fn lognormal(response: &mut Response, median: Dynamic, sigma: Dynamic, options: Map) -> Fallible<Response> {
    let name = "delay_lognormal";
    delay(response, name, Delay::lognormal(number(name, &median)?, number(name, &sigma)?), &options)
}

fn dribble(response: &mut Response, chunks: i64, ms: Dynamic, options: Map) -> Fallible<Response> {
    let name = "dribble";
    let dribble = Dribble::new(chunks, number(name, &ms)?).map_err(|error| format!("{name}: {error}"))?;
    if chance(name, &options)?.is_some() {
        response.lock().dribble(dribble, "");
    }
    Ok(response.clone())
}

fn fault(response: &mut Response, kind: &str, options: Map) -> Fallible<Response> {
    let breaking = Breaking::named(kind).map_err(|error| format!("fault: {error}"))?;
    if chance("fault", &options)?.is_some() {
        response.lock().break_off(breaking, "");
    }
    Ok(response.clone())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("delay", Map::new(), fixed)
        .register_optional("delay_uniform", Map::new(), uniform)
        .register_optional("delay_lognormal", Map::new(), lognormal)
        .register_optional("dribble", Map::new(), dribble)
        .register_optional("fault", Map::new(), fault);
}
