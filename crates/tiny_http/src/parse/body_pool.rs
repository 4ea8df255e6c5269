//! Memory of large bodies that were served, for those that come. Allocators keep what one thread takes and another frees, and each
//! body is read, made room for and dropped by whichever workers are free.

use crate::lock::lock;
use std::mem;
use std::sync::Mutex;

/// Bytes of the smallest piece that is kept.
const LEAST: usize = 256 << 10;
/// Bytes of all that is kept: four bodies of the usual limit, and what they grew by.
const MOST: usize = 40 << 20;
/// How many times what has arrived a piece may have: a client that goes no further holds it.
const TIMES: usize = 8;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Makes room for `more` bytes in `body`; what it had is kept for others, where all may take up `buffered` bytes.
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

/// Keeps the memory of `body`, which nobody needs any more, if there is room for it: half of the `buffered` bytes that all may take
/// up, beside them.
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

    /// One test for all: what is kept belongs to the process.
    #[test]
    fn a_body_grows_into_what_another_left_if_it_has_come_as_far() {
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
        // In its place is what the body had.
        assert_eq!(POOL.lock().unwrap().iter().map(Vec::capacity).collect::<Vec<_>>(), [LEAST]);
        for _ in 0..MOST / large + 1 {
            give_back(Vec::with_capacity(large), usize::MAX);
        }
        assert!(POOL.lock().unwrap().iter().map(Vec::capacity).sum::<usize>() <= MOST);
        clear();
        assert!(POOL.lock().unwrap().is_empty());
    }
}
