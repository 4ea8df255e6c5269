//! Writes to standard output and standard error without the locks of std. A thread that waits for a slow reader would hold such a lock,
//! and all other threads that write would wait too.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

/// A pipe that is ready for writing has room for at least this many bytes.
const PIECE: usize = 4096;

/// Writes all of `text`, and waits for its reader until `end`, or without a limit.
///
/// # Errors
/// The number of bytes written before, and the error of the system or `TimedOut`.
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
            // Another process that shares the pipe may have made it non-blocking.
            Err(Errno::AGAIN) => wait_for_room(&out, end).map_err(|error| (written, error))?,
            Err(error) => return Err((written, error.into())),
        }
    }
    Ok(())
}

/// Waits until a write would not block.
fn wait_for_room(out: &impl AsFd, end: Option<Instant>) -> io::Result<()> {
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        match poll(
            &mut [PollFd::new(out, PollFlags::OUT)],
            left.and_then(|left| Timespec::try_from(left).ok()).as_ref(),
        ) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_write_to_a_pipe_without_a_reader_ends_in_time() {
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
    fn a_write_to_a_non_blocking_pipe_waits_for_the_reader() {
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
