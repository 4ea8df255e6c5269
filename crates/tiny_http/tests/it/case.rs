//! A case: the bytes sent, the answers expected, and the state of the connection afterwards.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::client::{Client, End, Framing, Received};
use crate::harness::{self, Server};

const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n";
/// The body of the refusal of a request whose client ends its side too early.
const ENDS_EARLY: &str = "the request ends before it is complete\n";
/// Bytes that a report shows of each side.
const SHOWN: usize = 700;

/// The expected state of the connection after the answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection answers a further request.
    Open,
    /// The connection ends, without a reset and without another byte.
    Closed,
    /// Open or closed.
    Either,
    /// The client has ended its side within a request. It gets a refusal that says so, and the connection ends (RFC 9112
    /// section 8).
    Abandoned,
}

/// An expected answer.
pub(crate) struct Answer {
    status: u16,
    /// Another status that is allowed too.
    or: Option<u16>,
    /// The engine answers by itself: the program must not get the request.
    refusal: bool,
    to_head: bool,
    framing: Option<Framing>,
    lines: Vec<String>,
    missing: Vec<&'static str>,
    body: Option<Vec<u8>>,
    fields: Vec<(&'static str, Vec<&'static str>)>,
}

/// An answer of the program.
pub(crate) fn answer(status: u16) -> Answer {
    let (lines, missing, fields) = (Vec::new(), Vec::new(), Vec::new());
    Answer {
        status,
        or: None,
        refusal: false,
        to_head: false,
        framing: Some(Framing::Length),
        lines,
        missing,
        body: None,
        fields,
    }
}

/// The program's description of a request that it received: `method target` is its first line.
pub(crate) fn echo(request: &str) -> Answer {
    answer(200).line(request)
}

/// An answer of the engine to a request that the program must not get.
pub(crate) fn refusal(status: u16) -> Answer {
    Answer { refusal: true, ..answer(status) }
}

/// `100 Continue`.
pub(crate) fn interim() -> Answer {
    Answer { framing: Some(Framing::Bodiless), ..refusal(100) }
}

impl Answer {
    /// Requires a line of the description.
    pub(crate) fn line(mut self, line: &str) -> Answer {
        self.lines.push(line.to_owned());
        self
    }

    /// Requires the body that the program received.
    pub(crate) fn received(self, body: &[u8]) -> Answer {
        let line = harness::body_line(body);
        self.line(&line)
    }

    /// Requires that the description lacks a text.
    pub(crate) fn lacks(mut self, text: &'static str) -> Answer {
        self.missing.push(text);
        self
    }

    /// Requires the body of the answer.
    pub(crate) fn body(mut self, body: &[u8]) -> Answer {
        self.body = Some(body.to_vec());
        self
    }

    /// Requires all values of a field of the answer. An empty list means that the field is missing.
    pub(crate) fn field<const N: usize>(mut self, name: &'static str, values: [&'static str; N]) -> Answer {
        self.fields.push((name, values.to_vec()));
        self
    }

    pub(crate) fn framed(self, framing: Framing) -> Answer {
        Answer { framing: Some(framing), ..self }
    }

    /// Says that the request was HEAD.
    pub(crate) fn of_head(self) -> Answer {
        Answer { to_head: true, ..self }.framed(Framing::Bodiless)
    }

    pub(crate) fn or(self, status: u16) -> Answer {
        Answer { or: Some(status), ..self }
    }

    /// Requires the connection option `close`.
    pub(crate) fn closing(self) -> Answer {
        self.field("connection", ["close"])
    }

    fn check(&self, got: &Received) -> Result<(), String> {
        if got.status != self.status && self.or != Some(got.status) {
            return Err(format!("expected {}, got {}", self.status, got.status));
        }
        if self.framing.is_some_and(|framing| framing != got.framing) {
            return Err(format!("expected framing {:?}, got {:?}", self.framing, got.framing));
        }
        if self.body.as_ref().is_some_and(|body| *body != got.body) {
            return Err(format!("expected another body, got {} bytes", got.body.len()));
        }
        let body = String::from_utf8_lossy(&got.body);
        if let Some(line) = self.lines.iter().find(|line| !body.lines().any(|other| other == line.as_str())) {
            return Err(format!("no line {line:?}"));
        }
        if let Some(text) = self.missing.iter().find(|text| body.contains(**text)) {
            return Err(format!("there must be no {text:?}"));
        }
        for (name, values) in &self.fields {
            if got.values(name) != *values {
                return Err(format!("expected {name} {values:?}, got {:?}", got.values(name)));
            }
        }
        self.check_date(got)
    }

    /// Checks Date: an origin server with a clock sends one in 2xx, 3xx and 4xx (RFC 9110 section 6.6.1).
    fn check_date(&self, got: &Received) -> Result<(), String> {
        if self.status < 200 || self.fields.iter().any(|(name, _)| *name == "date") {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let values = got.values("date");
        match (now - 60..=now).any(|second| values == [imf_fixdate(second)]) {
            true => Ok(()),
            false => Err(format!("expected one Date of now, got {values:?}")),
        }
    }
}

/// RFC 9110 section 5.6.7; the calendar is the usual conversion of days to a civil date.
fn imf_fixdate(second: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut day, mut year, mut month) = (second / 86_400, 1970, 0);
    let name = DAYS[(day % 7) as usize];
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    let (hour, minute, rest) = (second / 3600 % 24, second / 60 % 60, second % 60);
    format!("{name}, {:02} {} {year} {hour:02}:{minute:02}:{rest:02} GMT", day + 1, MONTHS[month])
}

/// Bytes to send, and the answers that the client awaits before it sends more.
struct Turn {
    send: Vec<u8>,
    expect: Vec<Answer>,
}

/// One row of a table.
pub(crate) struct Case {
    /// Number and section of the RFC.
    rfc: &'static str,
    name: &'static str,
    turns: Vec<Turn>,
    half_close: bool,
    then: Then,
}

/// A request that the engine refuses: one answer, which says that the connection ends.
pub(crate) fn refused(rfc: &'static str, name: &'static str, send: impl Into<Vec<u8>>, status: u16) -> Case {
    closed(rfc, name, send, [refusal(status)])
}

/// Requests that are answered on a connection which then goes on.
pub(crate) fn served(
    rfc: &'static str,
    name: &'static str,
    send: impl Into<Vec<u8>>,
    expect: impl Into<Vec<Answer>>,
) -> Case {
    case(rfc, name, send, expect, Then::Open)
}

/// Requests after whose answers the connection ends.
pub(crate) fn closed(
    rfc: &'static str,
    name: &'static str,
    send: impl Into<Vec<u8>>,
    expect: impl Into<Vec<Answer>>,
) -> Case {
    case(rfc, name, send, expect, Then::Closed)
}

pub(crate) fn case(
    rfc: &'static str,
    name: &'static str,
    send: impl Into<Vec<u8>>,
    expect: impl Into<Vec<Answer>>,
    then: Then,
) -> Case {
    let first = Turn { send: send.into(), expect: expect.into() };
    Case { rfc, name, turns: vec![first], half_close: false, then }
}

/// A request that the client leaves unfinished.
pub(crate) fn abandoned(rfc: &'static str, name: &'static str, send: impl Into<Vec<u8>>) -> Case {
    case(rfc, name, send, [], Then::Abandoned).half_closed()
}

impl Case {
    /// Adds a turn: after the answers so far, the client sends more and expects more answers.
    pub(crate) fn turn(mut self, send: impl Into<Vec<u8>>, expect: impl Into<Vec<Answer>>) -> Case {
        self.turns.push(Turn { send: send.into(), expect: expect.into() });
        self
    }

    /// Makes the client end its side after its last bytes.
    pub(crate) fn half_closed(self) -> Case {
        Case { half_close: true, ..self }
    }

    /// Plays the case on a server of its own, so that a case which harms its server fails alone.
    fn play(&self) -> Result<(), String> {
        let server = Server::start();
        let mut client = Client::connect(server.address);
        let outcome = self.exchange(&mut client).and_then(|()| self.aftermath(&server));
        outcome.map_err(|wrong| {
            let sent: Vec<u8> = self.turns.iter().flat_map(|turn| turn.send.clone()).collect();
            let (sent, came) = (shown(&sent), shown(&client.received));
            let (rfc, name) = (self.rfc, self.name);
            format!("RFC {rfc}: {name}\n  wrong: {wrong}\n  sent:  {sent}\n  came:  {came}\n")
        })
    }

    fn exchange(&self, client: &mut Client) -> Result<(), String> {
        for (number, turn) in self.turns.iter().enumerate() {
            let last_turn = number + 1 == self.turns.len();
            client.send(&turn.send);
            if self.half_close && last_turn {
                client.half_close();
            }
            for (number, expected) in turn.expect.iter().enumerate() {
                let got = client.answer(expected.to_head)?;
                expected.check(&got)?;
                let last = last_turn && number + 1 == turn.expect.len();
                self.check_connection(expected, &got, last)?;
            }
        }
        self.check_end(client)
    }

    /// Checks that `close` announces the end of the connection, and nothing else does (RFC 9112 section 9.6).
    fn check_connection(&self, expected: &Answer, got: &Received, last: bool) -> Result<(), String> {
        let close = got.lists("connection", "close");
        if expected.refusal && expected.status >= 400 && !close {
            return Err("a refusal without Connection: close".into());
        }
        match close && (!last || self.then == Then::Open) {
            true => Err("Connection: close, but the connection goes on".into()),
            false => Ok(()),
        }
    }

    fn check_end(&self, client: &mut Client) -> Result<(), String> {
        if self.then != Then::Open {
            match (client.end(), self.then) {
                (End::Closed, Then::Closed | Then::Either) => return Ok(()),
                (End::Silent, Then::Either) => {}
                (End::Surplus, Then::Abandoned) => {
                    let got = client.answer(false)?;
                    let why = String::from_utf8_lossy(&got.body).into_owned();
                    return match (got.status == 400 && why == ENDS_EARLY, client.end()) {
                        (true, End::Closed) => Ok(()),
                        (_, end) => {
                            Err(format!("expected a refusal and the end, got {} and {end:?}", got.status))
                        }
                    };
                }
                (end, _) => return Err(format!("expected the end of the connection, got {end:?}")),
            }
        }
        client.send(PROBE);
        let got =
            client.answer(false).map_err(|wrong| format!("after the case, on its connection: {wrong}"))?;
        let checked = echo("GET /probe").line("fields 1").check(&got);
        checked.map_err(|wrong| format!("the answer to the next request: {wrong}"))
    }

    /// Checks that all workers serve, and that the program received exactly the requests that it answered.
    fn aftermath(&self, server: &Server) -> Result<(), String> {
        server.check_workers()?;
        let mut reached = server.reached();
        reached.retain(|request| request != "GET /probe");
        let served = self.turns.iter().flat_map(|turn| &turn.expect).filter(|answer| !answer.refusal).count();
        match reached.len() == served {
            true => Ok(()),
            false => Err(format!("the program received {reached:?}, expected were {served}")),
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    let (head, tail) = bytes.split_at(bytes.len().min(SHOWN));
    match tail.len() {
        0 => format!("\"{}\"", head.escape_ascii()),
        more => format!("\"{}\" and {more} bytes more", head.escape_ascii()),
    }
}

/// Plays all cases, and reports all that fail.
pub(crate) fn run(cases: impl Into<Vec<Case>>) {
    let cases = cases.into();
    let failures: Vec<String> = cases.iter().filter_map(|case| case.play().err()).collect();
    println!("{} cases, {} failed", cases.len(), failures.len());
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// `GET /` with `Host: a` and these bytes as further field lines, each with its line end.
pub(crate) fn get(lines: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nHost: a\r\n", lines.as_ref(), b"\r\n"].concat()
}

/// `POST /` with `Host: a`, these bytes as further field lines, and what follows the head.
pub(crate) fn post(lines: impl AsRef<[u8]>, after: impl AsRef<[u8]>) -> Vec<u8> {
    [b"POST / HTTP/1.1\r\nHost: a\r\n", lines.as_ref(), b"\r\n", after.as_ref()].concat()
}
