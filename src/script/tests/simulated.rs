//! Scripts under a test's clock and dice.

use super::trial::{answer, load, yields_under};
use crate::message::request::Request;
use crate::script::runtime::conditions::Conditions;
use crate::simulation::{Clock, Dice, Reading, Speed};

const SECOND: i128 = 1_000_000_000;

#[test]
fn every_native_that_reads_the_time_reads_the_tests_clock() {
    let clock = Clock::frozen(1_767_225_600 * SECOND + 123_456_789);
    let conditions = Conditions { clock, ..Conditions::default() };
    yields_under(
        &conditions,
        &[
            ("[time.time(), time.time_ns()]", "[1767225600.123456, 1767225600123456789]"),
            (
                "[time.http_date(), time.strftime(\"%F %T\")]",
                r#"["Thu, 01 Jan 2026 00:00:00 GMT", "2026-01-01 00:00:00"]"#,
            ),
            ("datetime.now().isoformat()", r#""2026-01-01T00:00:00.123456""#),
            ("[datetime.utcnow() == datetime.now(), datetime.today() == datetime.now()]", "[true, true]"),
            (
                "datetime.now(timezone(timedelta(#{ hours: -1 }))).isoformat()",
                r#""2025-12-31T23:00:00.123456-01:00""#,
            ),
            ("date.today().isoformat()", r#""2026-01-01""#),
            ("time.monotonic() == time.monotonic()", "true"),
        ],
    );
}

#[test]
fn monotonic_time_runs_with_the_tests_clock() {
    let real = Reading::real();
    let clock = Clock::new(real, Reading { steady: 5_000 * SECOND, ..real }, Speed::USUAL);
    let conditions = Conditions { clock, ..Conditions::default() };
    yields_under(&conditions, &[("let now = time.monotonic(); now >= 5000.0 && now < 5060.0", "true")]);
}

#[test]
fn times_beyond_the_integers_are_the_last_one_in_nanoseconds() {
    for (wall, shown) in [(i128::MAX / 2, "9223372036854775807"), (-i128::MAX / 2, "-9223372036854775808")] {
        let conditions = Conditions { clock: Clock::frozen(wall), ..Conditions::default() };
        yields_under(&conditions, &[("time.time_ns()", shown), ("datetime.now().year > 0", "true")]);
    }
}

/// The values stand here: a seed in somebody's test must give the same ones after an update.
#[test]
fn every_native_that_draws_draws_from_the_tests_dice() {
    let table = [
        ("random.random()", "0.3957057406697241"),
        (
            "[random.randint(1, 100), random.randrange(0, 1000, 5), random.uniform(1, 2)]",
            "[40, 445, 1.2350659293500672]",
        ),
        ("[random.choice([1, 2, 3, 4, 5]), random.choice(\"abcdef\")]", "[2, \"c\"]"),
        ("[random.sample([1, 2, 3, 4], 2), random.shuffle([1, 2, 3, 4])]", "[[3, 1], [4, 2, 3, 1]]"),
        ("[random.choices([1, 2, 3, 4], 3), random.choices([1, 2], [1, 3], 4)]", "[[2, 2, 1], [1, 2, 2, 2]]"),
        ("uuid.uuid4()", "\"654cf8af-0413-4896-b1ee-1c573d4324cb\""),
        (
            "[secrets.token_hex(4), secrets.token_urlsafe(6), secrets.randbelow(1000), secrets.choice(\"abc\")]",
            "[\"96781304\", \"yyRDPVcc\", 544, \"b\"]",
        ),
        ("os.urandom(3)", "[967813]"),
    ];
    for (script, value) in table {
        let conditions = Conditions { dice: Dice::seeded(7), ..Conditions::default() };
        yields_under(&conditions, &[(script, value)]);
    }
}

#[test]
fn a_seed_of_the_script_holds_for_random_in_this_request_only() {
    let conditions = Conditions { dice: Dice::seeded(7), ..Conditions::default() };
    let seeded = "random.seed(3); [random.randint(1, 1000), random.randint(1, 1000)]";
    let rows = [(seeded, "[582, 317]"), (seeded, "[582, 317]"), ("random.randint(1, 1000)", "396")];
    yields_under(&conditions, &rows);
    yields_under(&Conditions::default(), &rows[..2]);
    // `secrets` and `uuid` go on with the test's dice.
    let same = "random.seed(1); let a = uuid.uuid4(); random.seed(1); a == uuid.uuid4()";
    yields_under(&conditions, &[(same, "false")]);
    yields_under(&Conditions::default(), &[(same, "false"), ("random.seed(1); random.seed(); 1", "1")]);
}

#[test]
fn a_seed_of_a_load_holds_for_the_requests_of_the_provision() {
    let source = r#"
        fn draw() { `${random.randint(1, 1000)} ${random.randint(1, 1000)}` }
        fn registerRules() {
            random.seed(3);
            app.add_url_rule("/", "draw", draw);
        }
    "#;
    let answers = || {
        let (_folder, provision) = load(source.to_owned(), &[]);
        [(); 3].map(|()| {
            answer(&provision, Request::from_parts("GET", "/", [("Host", "a")], Vec::new(), None, None))
        })
    };
    let first = answers();
    assert_eq!(first, ["200 757 507", "200 646 361", "200 220 508"]);
    assert_eq!(first, answers());
}
