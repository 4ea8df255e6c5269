//! Threads that replace themselves. The stack of a thread keeps all pages that it ever used until the thread ends. So a thread with a
//! large stack ends, and a new thread of the same name continues its work.

use std::sync::Arc;
use std::{io, thread};

/// The result of a thread's work.
pub(crate) enum Next {
    /// A new thread continues.
    Renew,
    /// The work is done.
    End,
}

/// Starts a thread called `name` with a stack of `stack` bytes, which runs `work`. After [`Next::Renew`], a new thread runs `work` again.
///
/// # Errors
/// The system refuses the first thread.
pub(crate) fn start(name: String, stack: usize, work: Arc<dyn Fn() -> Next + Send + Sync>) -> io::Result<()> {
    let builder = thread::Builder::new().name(name.clone()).stack_size(stack);
    let run = move || {
        while let Next::Renew = work() {
            // If the system refuses a new thread, this thread continues.
            if start(name.clone(), stack, work.clone()).is_ok() {
                break;
            }
        }
    };
    // The handle is dropped, because the stack of a joinable thread stays until somebody joins it.
    builder.spawn(run).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_new_thread_of_the_same_name_continues_until_the_work_ends() {
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
