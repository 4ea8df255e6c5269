//! Values that all threads share: constants and values of `store`.

use crate::script::flask::request::tests::request;
use crate::script::tests::trial::{answer, load};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// All forms of access. With Rhai's own shared values, each of them fails with "Data race" when two threads meet.
const SOURCE: &str = r#"
    const BIG = [#{ id: 0, tags: ["a"] }, #{ id: 1, tags: ["b"] }, #{ id: 2, tags: ["c"] }];
    const MAP = #{ one: #{ list: [1, 2, 3] }, two: "text" };
    fn registerRules() { store["s"] = BIG; app.get("/", view); }
    fn view() {
        let sum = 0;
        for item in BIG { sum += item.id; }
        for i in 0..3 { sum += BIG[i].id + store["s"][i].id; }
        sum += BIG.filter(|x| x.id == BIG[2].id).len();
        sum += BIG.map(|x| x.tags[0] + BIG[0].tags[0]).len();
        sum += BIG.reduce(|s, x| s + x.id + MAP.one.list[0], 0);
        sum += store["s"].filter(|x| BIG.some(|y| y.id == x.id)).len();
        let own = BIG; own[1].id = 10; own.push(MAP); own[3].one.list.push(4);
        sum += own[1].id + own[3].one.list.len();
        sum += MAP.keys().len() + MAP.two.split("x").len();
        if "one" in MAP && BIG == store["s"] && `${BIG[0]}`.len() > 3 { sum += 1; }
        `${sum}`
    }
"#;

/// Returns how often the thread has given up its processor to wait.
fn waits() -> usize {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap()
}

#[test]
fn eight_threads_read_one_value_without_waiting_for_each_other() {
    let (_folder, provision) = load(SOURCE.to_owned(), &[]);
    let get = || answer(&provision, request("GET", "/", &[], b""));
    let expected = get();
    assert_eq!(expected, "200 41");
    let until = Instant::now() + Duration::from_secs(2);
    let work = || {
        let (mut calls, before) = (0, waits());
        while Instant::now() < until {
            assert_eq!(get(), expected);
            calls += 1;
        }
        (calls, waits() - before)
    };
    let done: Vec<(usize, usize)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (calls, waits) = done.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    println!("{calls} calls, {waits} waits");
    // The lock of `store` is held for one operation only. With Rhai's shared values one call of three would sleep.
    assert!(waits < calls / 10 + 100, "{waits} waits in {calls} calls");
}
