//! Writes to standard output and error without std's locks: a thread that waits for a reader would hold one, and every other
//! thread that has something to say would wait with it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Where a pipe has room at all, it has room for this many bytes.
const PIECE: usize = 4096;

/// Writes all of `text`, and waits for its reader: until `end`, or for ever.
///
/// # Errors
/// The system's, or that the time is over; with the number of bytes that were written before.
pub(crate) fn write_all(out: impl AsFd, text: &[u8], end: Option<Instant>) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < text.len() {
        let mut piece = &text[written..];
        if end.is_some() {
            wait_for_room(&out, end).map_err(|error| (written, error))?;
            piece = &piece[..piece.len().min(PIECE)];
        }
        match write(&out, piece) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            // Whoever shares the pipe may have told it not to wait.
            Err(Errno::AGAIN) => wait_for_room(&out, end).map_err(|error| (written, error))?,
            Err(error) => return Err((written, error.into())),
        }
    }
    Ok(())
}

/// Waits until something can be written, or an error would tell why not.
fn wait_for_room(out: &impl AsFd, end: Option<Instant>) -> io::Result<()> {
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        match poll(&mut [PollFd::new(out, PollFlags::OUT)], left.map(timespec).as_ref()) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_pipe_that_nobody_reads_ends_the_wait_in_time() {
        let (mut reader, writer) = io::pipe().unwrap();
        let text = vec![b'x'; 1 << 20];
        let (written, error) = write_all(&writer, &text, Some(Instant::now())).unwrap_err();
        assert!((PIECE..text.len()).contains(&written), "{written}");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let mut read = vec![0; written];
        reader.read_exact(&mut read).unwrap();
        assert!(read.iter().all(|byte| *byte == b'x'));
        drop(reader);
        for end in [Some(Instant::now()), None] {
            let (written, error) = write_all(&writer, &text, end).unwrap_err();
            assert_eq!((written, error.kind()), (0, io::ErrorKind::BrokenPipe));
        }
    }

    #[test]
    fn a_pipe_that_does_not_wait_is_waited_for() {
        let (mut reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let read = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all.len())
        });
        write_all(&writer, &vec![b'x'; 1 << 20], None).unwrap();
        drop(writer);
        assert_eq!(read.join().unwrap().unwrap(), 1 << 20);
    }
}
