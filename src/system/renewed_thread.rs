//! Threads that are replaced. A stack keeps each page that was ever touched until its thread ends; so a thread whose stack has
//! grown ends, and another one goes on in its place.

use std::sync::Arc;
use std::{io, thread};

/// What comes after the work of a thread.
pub(crate) enum Next {
    /// A new thread goes on.
    Renew,
    /// None does.
    End,
}

/// Starts a thread called `name` with `stack` bytes, which runs `work`, and again on a new thread as often as that gives
/// [`Next::Renew`].
///
/// # Errors
/// The system refuses a thread.
pub(crate) fn start(name: String, stack: usize, work: Arc<dyn Fn() -> Next + Send + Sync>) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.clone()).stack_size(stack);
    let run = move || {
        while let Next::Renew = work() {
            // Where the system refuses a thread, this one goes on.
            if start(name.clone(), stack, work.clone()).is_ok() {
                break;
            }
        }
    };
    // Its handle is dropped: the stack of a thread that may be joined stays until it is.
    builder.spawn(run).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_new_thread_of_the_same_name_goes_on_until_the_work_ends() {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new((tell, 3));
        let work = move || {
            let (tell, left) = &mut *tell.lock().unwrap();
            let thread = thread::current();
            tell.send((thread.id(), thread.name().unwrap().to_owned())).unwrap();
            *left -= 1;
            if *left > 0 { Next::Renew } else { Next::End }
        };
        start("a-thread".to_owned(), 128 << 10, Arc::new(work)).unwrap();
        let next = || told.recv_timeout(Duration::from_secs(20));
        let mut ids = Vec::new();
        while let Ok((id, name)) = next() {
            assert_eq!(name, "a-thread");
            assert!(!ids.contains(&id));
            ids.push(id);
        }
        assert_eq!(ids.len(), 3);
    }
}
