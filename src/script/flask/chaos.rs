//! `response.delay(ms)`, `delay_uniform`, `delay_lognormal`, `dribble` and `fault`: a script makes an answer slow, or makes it
//! fail. `stream_delay(ms)`, `break_after(n)` and their like do so for the pieces of a stream.
//!
//! Each method returns the response, so that calls can be chained: `make_response("a").delay(200).dribble(10, 50)`. The last
//! argument may be a map with `probability` (0 to 1) and `seed`.

use super::response::Response;
use super::sleep::prolong;
use crate::chaos::{Breaking, Cut, Delay, Dribble, StreamAct, probability};
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
    if response.lock().stream.is_some() {
        return Err("dribble: a stream leaves in its pieces: stream_delay(ms) makes it slow".into());
    }
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

/// Adds faults to the stream that `response` is.
fn on_stream(
    response: &Response,
    name: &str,
    act: Result<StreamAct, String>,
    options: &Map,
) -> Fallible<Response> {
    let act = act.map_err(|error| format!("{name}: {error}"))?;
    if response.lock().stream.is_none() {
        return Err(format!("{name}: the response is no stream: stream(...) and sse(...) make one").into());
    }
    if let Some(random) = chance(name, options)? {
        let added = response.lock().inject().stream.add(&act, random, "");
        added.map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(response.clone())
}

fn pauses(delay: Result<Delay, String>) -> Result<StreamAct, String> {
    delay.map(|delay| StreamAct { delay: Some(delay), cut: None })
}

fn cuts(cut: Result<Cut, String>) -> Result<StreamAct, String> {
    cut.map(|cut| StreamAct { delay: None, cut: Some(cut) })
}

fn stream_fixed(response: &mut Response, ms: Dynamic, options: Map) -> Fallible<Response> {
    let name = "stream_delay";
    on_stream(response, name, pauses(Delay::fixed(number(name, &ms)?)), &options)
}

fn stream_uniform(response: &mut Response, low: Dynamic, high: Dynamic, options: Map) -> Fallible<Response> {
    let name = "stream_delay_uniform";
    let delay = Delay::uniform(number(name, &low)?, number(name, &high)?);
    on_stream(response, name, pauses(delay), &options)
}

fn stream_lognormal(
    response: &mut Response,
    median: Dynamic,
    sigma: Dynamic,
    options: Map,
) -> Fallible<Response> {
    let name = "stream_delay_lognormal";
    let delay = Delay::lognormal(number(name, &median)?, number(name, &sigma)?);
    on_stream(response, name, pauses(delay), &options)
}

fn break_after(response: &mut Response, pieces: i64, options: Map) -> Fallible<Response> {
    on_stream(response, "break_after", cuts(Cut::new(pieces, false)), &options)
}

fn garbage_after(response: &mut Response, pieces: i64, options: Map) -> Fallible<Response> {
    on_stream(response, "garbage_after", cuts(Cut::new(pieces, true)), &options)
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("delay", Map::new(), fixed)
        .register_optional("delay_uniform", Map::new(), uniform)
        .register_optional("delay_lognormal", Map::new(), lognormal)
        .register_optional("dribble", Map::new(), dribble)
        .register_optional("fault", Map::new(), fault)
        .register_optional("stream_delay", Map::new(), stream_fixed)
        .register_optional("stream_delay_uniform", Map::new(), stream_uniform)
        .register_optional("stream_delay_lognormal", Map::new(), stream_lognormal)
        .register_optional("break_after", Map::new(), break_after)
        .register_optional("garbage_after", Map::new(), garbage_after);
}
