//! The queue of log lines, written to pipes.

use super::*;
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;

/// Far more time than these tests need.
const DEADLINE: Duration = Duration::from_secs(20);

/// Creates a queue, and a thread that writes its lines to `out`.
fn writing(out: PipeWriter) -> &'static LogQueue {
    let queue: &LogQueue = Box::leak(Box::new(LogQueue::new()));
    thread::spawn(move || queue.write_to(out, |text| format!("notice: {text}")));
    queue
}

/// Reads lines until one begins with `last`.
fn read_to(reader: &mut PipeReader, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut bytes = [0; 1 << 16];
        let count = reader.read(&mut bytes).unwrap();
        all.extend_from_slice(&bytes[..count]);
        let text = String::from_utf8_lossy(&all);
        if text.ends_with('\n') && text.lines().any(|line| line.starts_with(last)) {
            return text.lines().map(str::to_owned).collect();
        }
    }
}

#[test]
fn lines_of_all_threads_arrive_whole_and_in_order() {
    let (mut reader, out) = pipe().unwrap();
    let queue = writing(out);
    let writers = (0..4).map(|writer| {
        thread::spawn(move || (0..1000).for_each(|line| queue.push(format!("{writer} {line}\n").as_bytes())))
    });
    let writers: Vec<_> = writers.collect();
    let read = thread::spawn(move || read_to(&mut reader, "end"));
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    queue.push(b"end\n");
    let lines = read.join().unwrap();
    assert_eq!(lines.len(), 4001);
    for writer in 0..4 {
        let own = lines.iter().filter_map(|line| line.strip_prefix(&format!("{writer} ")));
        assert!(own.eq((0..1000).map(|line| line.to_string())));
    }
    assert_eq!(queue.dropped(), 0);
}

#[test]
fn lines_that_nobody_reads_are_dropped_and_counted_in_a_notice() {
    let (mut reader, out) = pipe().unwrap();
    let queue = writing(out);
    let line = |number: usize| format!("{number} {}\n", "x".repeat(1000));
    (0..3000).for_each(|number| queue.push(line(number).as_bytes()));
    let began = Instant::now();
    queue.flush(began + Duration::from_millis(50));
    assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
    // The lines fill two buffers and a pipe.
    assert!((1..3000 - 500).contains(&queue.dropped()), "{}", queue.dropped());
    queue.push(b"end\n");
    let (mut next, mut missing) = (0, 0);
    for line in read_to(&mut reader, "notice") {
        match line.strip_prefix("notice: ") {
            Some(notice) => {
                let (count, rest) = notice.split_once(' ').unwrap();
                assert_eq!(rest, "log lines were dropped: nobody read the log");
                missing += count.parse::<u64>().unwrap();
                next += count.parse::<usize>().unwrap();
            }
            None => {
                assert!(line.starts_with(&format!("{next} ")), "{line:.10} is line {next}");
                next += 1;
            }
        }
    }
    // All lines, with `end`.
    assert_eq!((next, missing), (3001, queue.dropped()));
    let dropped = queue.dropped();
    queue.push(b"again\n");
    assert_eq!(read_to(&mut reader, "again"), ["again"]);
    queue.flush(Instant::now() + DEADLINE);
    assert_eq!(queue.dropped(), dropped);
}

#[test]
fn a_flush_returns_once_all_is_written() {
    let (mut reader, out) = pipe().unwrap();
    let queue = writing(out);
    for round in 0..100 {
        queue.push(format!("{round}\n").as_bytes());
        queue.flush(Instant::now() + DEADLINE);
        let mut bytes = [0; 100];
        let count = reader.read(&mut bytes).unwrap();
        assert_eq!(bytes[..count], *format!("{round}\n").as_bytes());
    }
}

#[test]
fn lines_that_can_not_be_written_are_counted_with_the_reason() {
    let queue = LogQueue::new();
    let full = std::fs::File::create("/dev/full").unwrap();
    let notice = |text: &str| text.to_owned();
    let mut writer = Writer { queue: &queue, out: full, notice, missing: 0, why: None, torn: false };
    writer.write(b"one\ntwo\n");
    writer.write_notice();
    writer.write(b"three\n");
    assert_eq!((writer.missing, queue.dropped()), (3, 3));

    let (mut reader, out) = pipe().unwrap();
    let Writer { missing, why, .. } = writer;
    Writer { queue: &queue, out, notice, missing, why, torn: true }.write_notice();
    assert_eq!(
        read_to(&mut reader, "3"),
        ["", "3 log lines were dropped: failed to write the log: no space left on device"]
    );
}

#[test]
fn a_line_longer_than_the_buffer_is_cut() {
    let (mut reader, out) = pipe().unwrap();
    let queue = writing(out);
    let long = "x".repeat(2 * MOST) + "\n";
    queue.push(long.as_bytes());
    let read = thread::spawn(move || read_to(&mut reader, "end"));
    queue.push(b"end\n");
    queue.flush(Instant::now() + DEADLINE);
    assert_eq!(queue.dropped(), 0);
    let lines = read.join().unwrap();
    assert_eq!((lines.len(), lines[0].len(), lines[1].as_str()), (2, MOST - 1, "end"));
}

#[test]
fn a_line_that_is_cut_off_is_ended_before_the_notice() {
    let (mut left, out) = UnixStream::pair().unwrap();
    let queue = LogQueue::new();
    let notice = |text: &str| text.to_owned();
    let out = OwnedFd::from(out);
    let mut writer = Writer { queue: &queue, out, notice, missing: 0, why: None, torn: false };
    // Takes a part of the line, and closes.
    let reading = thread::spawn(move || left.read_exact(&mut [0]).unwrap());
    writer.write(&[&vec![b'x'; 2 << 20][..], b"\n"].concat());
    reading.join().unwrap();
    let (mut reader, out) = pipe().unwrap();
    writer.out = out.into();
    writer.write_notice();
    let expected = ["", "1 log line was dropped: failed to write the log: broken pipe"];
    assert_eq!(read_to(&mut reader, "1"), expected);
}

#[test]
fn the_line_end_that_is_added_counts_against_the_limit() {
    for (bytes, dropped) in [(MOST / 2 - 1, 0), (MOST / 2, 1)] {
        let queue = LogQueue::new();
        queue.push(&vec![b'x'; MOST / 2 - 1]);
        queue.push(&vec![b'x'; bytes]);
        assert_eq!(queue.dropped(), dropped, "{bytes}");
    }
}
