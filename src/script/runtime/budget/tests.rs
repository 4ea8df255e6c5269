use super::*;
use std::rc::Rc;

#[test]
fn a_call_that_takes_long_is_noticed_while_it_runs() {
    let budget = Budget { time: Duration::from_millis(50), ..Budget::default() };
    let mut engine = Engine::new_raw();
    register(&mut engine, budget);
    let noticed = Rc::new(Cell::new(0));
    let count = noticed.clone();
    when_long(move || count.set(count.get() + 1));
    assert_eq!(budget.run(|| engine.eval::<i64>("40 + 2")).unwrap(), 42);
    assert_eq!(noticed.get(), 0);
    assert!(budget.run(|| engine.run("loop {}")).is_err());
    assert!(noticed.get() > 0);
}

#[test]
fn a_call_that_held_much_memory_reports_a_grown_stack() {
    // On a busy machine the calls take longer than the default time.
    let budget = Budget { time: Duration::from_secs(120), ..Budget::default() };
    let mut engine = Engine::new_raw();
    register(&mut engine, budget);
    let call = move |links: usize| {
        let script =
            format!("let f = || 1; let n = 0; while n < {links} {{ let g = f; f = || g; n += 1; }} 1");
        assert_eq!(budget.run(|| engine.eval::<i64>(&script)).unwrap(), 1);
        stack_has_grown()
    };
    let run = move || (call(20_000), call(100_000));
    let thread = std::thread::Builder::new().stack_size(budget.stack()).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), (false, true));
}

#[test]
fn the_time_left_is_that_of_the_call_or_of_the_load_if_it_has_less() {
    let call = Budget { time: Duration::from_secs(60), ..Budget::default() };
    let second = Duration::from_secs(1);
    for (load, at_most) in [(second, second), (120 * second, call.time)] {
        let left = load_time::run(load, || call.run(time_left));
        assert!(left <= at_most && left > at_most / 2, "{left:?} of {at_most:?}");
    }
}
