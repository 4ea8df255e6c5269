//! A callback: a request that leaves after the answer to the request that caused it.

use crate::http_client::Url;
use std::any::Any;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A request that a script asked for by `callback(...)`.
#[derive(Debug)]
pub(crate) struct Callback {
    pub method: String,
    pub url: Url,
    /// Fields in place of those of the HTTP client; `None` leaves one out.
    pub headers: Vec<(String, Option<String>)>,
    pub body: Option<Vec<u8>>,
    /// Time from the answer to the first attempt, by the clock of the test.
    pub after: Duration,
    /// Attempts after the first one that fails.
    pub retries: u32,
    /// Time before the first retry, by the clock of the test; each further one waits twice as long.
    pub backoff: Duration,
    /// For one attempt, in real time.
    pub timeout: Duration,
    /// `None` where no request leaves.
    pub place: Option<Place>,
}

impl Callback {
    /// Returns the memory that it takes until it has left, in bytes.
    pub(crate) fn space(&self) -> usize {
        let field =
            |(name, value): &(String, Option<String>)| name.len() + value.as_ref().map_or(0, String::len);
        let fields: usize = self.headers.iter().map(field).sum();
        let body = self.body.as_ref().map_or(0, Vec::capacity);
        EACH + self.url.host.len() + self.url.target.len() + fields + body
    }
}

/// The request that caused a callback.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Caller {
    /// The number of its entry in the journal; 0 without a journal.
    pub entry: u64,
    pub epoch: u64,
    pub generation: u64,
    /// The overlay that handled it.
    pub overlay: Option<String>,
    /// The members of its header `baggage`, such as `test=17`.
    pub members: Vec<String>,
}

/// Most callbacks that wait, or are under way.
pub(crate) const MOST: usize = 10_000;
/// Bytes that a callback takes beside its own.
const EACH: usize = 1 << 10;

/// The places for callbacks. Their memory is that of the answers that wait.
#[derive(Default)]
pub(crate) struct Places {
    taken: AtomicUsize,
    memory: OnceLock<Reserve>,
}

/// Reserves so many bytes, until the result is dropped; or returns the reason why there is no room.
pub(crate) type Reserve = Box<dyn Fn(usize) -> Result<Box<dyn Any + Send + Sync>, String> + Send + Sync>;

/// The place of a callback. Dropping it makes room for another one.
pub(crate) struct Place {
    places: &'static Places,
    memory: Option<Box<dyn Any + Send + Sync>>,
}

impl Places {
    /// Takes memory by `reserve` from now on.
    pub(crate) fn set_memory(&self, reserve: Reserve) {
        let _ = self.memory.set(reserve);
    }

    /// Takes a place for a callback of so many bytes.
    ///
    /// # Errors
    /// ``10000 callbacks wait already, more is not possible``, or the memory is used up.
    pub(crate) fn take(&'static self, bytes: usize) -> Result<Place, String> {
        let one_more = |taken: usize| (taken < MOST).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        taken.map_err(|_| format!("{MOST} callbacks wait already, more is not possible"))?;
        // From here on, a drop gives the place back.
        let mut place = Place { places: self, memory: None };
        place.memory = self.memory.get().map(|reserve| reserve(bytes)).transpose()?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.memory.take());
        self.places.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_memory_are_bounded_and_come_back() {
        let places: &'static Places = Box::leak(Box::default());
        let mut taken: Vec<Place> = (0..MOST).map(|_| places.take(1).unwrap()).collect();
        let full = "10000 callbacks wait already, more is not possible";
        assert_eq!(places.take(1).unwrap_err(), full);
        taken.pop();
        assert!(places.take(1).is_ok());
        let reserve = |bytes| if bytes < 5 { Ok(Box::new(()) as _) } else { Err("no room".to_owned()) };
        places.set_memory(Box::new(reserve));
        assert_eq!(places.take(5).unwrap_err(), "no room");
        // The place of the refused one is free again.
        taken.push(places.take(4).unwrap());
        assert_eq!(places.take(1).unwrap_err(), full);
        drop(taken);
        assert_eq!(places.taken.load(Ordering::Relaxed), 0);
    }
}
