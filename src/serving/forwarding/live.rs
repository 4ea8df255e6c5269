//! The exchanges that have not ended. Their deadlines are looked at from time to time, and not set: a forwarded request then costs
//! the timer nothing.

use crate::serving::timer::Timer;
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// A member of [`Live`].
pub(crate) trait Ends: Send + Sync {
    /// The epoch in which its request began.
    fn epoch(&self) -> u64;
    fn is_late(&self, now: Instant) -> bool;
    fn end_late(self: Arc<Self>);
}

pub(crate) struct Live<T> {
    timer: Timer,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// By their addresses in memory.
    all: HashMap<usize, Arc<T>>,
    /// The timer will look at them.
    looking: bool,
}

impl<T: Ends + 'static> Live<T> {
    pub(crate) fn new(timer: Timer) -> Arc<Live<T>> {
        Arc::new(Live { timer, state: Mutex::new(State { all: HashMap::new(), looking: false }) })
    }

    pub(super) fn add(self: &Arc<Self>, member: &Arc<T>) {
        let mut state = lock(&self.state);
        state.all.insert(Arc::as_ptr(member).addr(), member.clone());
        let sleeps = !std::mem::replace(&mut state.looking, true);
        drop(state);
        if sleeps {
            self.look_later();
        }
    }

    pub(super) fn remove(&self, member: &T) {
        let removed = lock(&self.state).all.remove(&std::ptr::from_ref(member).addr());
        drop(removed);
    }

    /// Returns the number of members.
    pub(crate) fn count(&self) -> usize {
        lock(&self.state).all.len()
    }

    /// Returns the members.
    pub(super) fn all(&self) -> Vec<Arc<T>> {
        lock(&self.state).all.values().cloned().collect()
    }

    fn look_later(self: &Arc<Self>) {
        let live = self.clone();
        self.timer.after(LOOK, Box::new(move || live.look()));
    }

    fn look(self: &Arc<Self>) {
        let now = Instant::now();
        self.all().into_iter().filter(|member| member.is_late(now)).for_each(Ends::end_late);
        let mut state = lock(&self.state);
        state.looking = !state.all.is_empty();
        let goes_on = state.looking;
        drop(state);
        if goes_on {
            self.look_later();
        }
    }
}
