//! Pool of memory for large bodies. A worker reads a body and another one may free it, and then allocators keep or return its
//! pages. Measured with four clients that send bodies of 8 MiB, without the pool and with it: 870 and 100 page faults a
//! request, 5.8 and 3.1 ms of the kernel's time, and a peak of 79 and 46 MiB. That was glibc. With its large blocks mapped one
//! by one, as musl does, it was 2050 and 140 faults.

use crate::lock::lock;
use std::mem;
use std::sync::Mutex;

/// Bytes of the smallest buffer that is kept.
const LEAST: usize = 256 << 10;
/// Most bytes of all buffers together: four bodies of the default limit, and the buffers that they grew out of.
const MOST: usize = 40 << 20;
/// Most bytes of a buffer for each byte that has arrived: a client that sends no more holds the buffer.
const TIMES: usize = 8;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Makes room for `more` bytes in `body`. Keeps its old buffer in the pool. `buffered` is the limit for requests and answers.
pub(crate) fn reserve(body: &mut Vec<u8>, more: usize, buffered: usize) {
    let wanted = body.len() + more;
    let Some(mut larger) = (wanted >= LEAST).then(|| take(wanted, body.len() * TIMES)).flatten() else {
        return body.reserve_exact(more);
    };
    larger.extend_from_slice(body);
    give_back(mem::replace(body, larger), buffered);
}

fn take(least: usize, most: usize) -> Option<Vec<u8>> {
    let mut pool = lock(&POOL);
    let fits = |piece: &Vec<u8>| (least..=most).contains(&piece.capacity());
    let place = pool.iter().position(fits)?;
    Some(pool.swap_remove(place))
}

/// Keeps the buffer of `body`, if the pool then has no more than half of the limit `buffered`.
pub(crate) fn give_back(mut body: Vec<u8>, buffered: usize) {
    if body.capacity() < LEAST {
        return;
    }
    body.clear();
    let mut pool = lock(&POOL);
    let kept: usize = pool.iter().map(Vec::capacity).sum();
    if kept + body.capacity() <= MOST.min(buffered / 2) {
        pool.push(body);
    }
}

pub(crate) fn clear() {
    lock(&POOL).clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test for all cases, since the pool belongs to the process.
    #[test]
    fn a_body_reuses_a_buffer_that_is_not_much_larger_than_it() {
        clear();
        let (large, buffered) = (LEAST * TIMES, 64 << 20);
        give_back(Vec::with_capacity(LEAST - 1), buffered);
        give_back(Vec::with_capacity(large), large * 2 - 1);
        assert!(POOL.lock().unwrap().is_empty());
        give_back(vec![b'x'; large], buffered);
        let mut small = vec![b'y'; LEAST / 2];
        reserve(&mut small, LEAST / 2, buffered);
        assert_eq!((small.capacity(), POOL.lock().unwrap().len()), (LEAST, 1));
        let mut body = vec![b'z'; LEAST];
        reserve(&mut body, 1, buffered);
        assert!(body.capacity() == large && body == [b'z'; LEAST], "{}", body.capacity());
        // The old buffer of the body is in the pool now.
        assert_eq!(POOL.lock().unwrap().iter().map(Vec::capacity).collect::<Vec<_>>(), [LEAST]);
        for _ in 0..MOST / large + 1 {
            give_back(Vec::with_capacity(large), usize::MAX);
        }
        assert!(POOL.lock().unwrap().iter().map(Vec::capacity).sum::<usize>() <= MOST);
        clear();
        assert!(POOL.lock().unwrap().is_empty());
    }
}
