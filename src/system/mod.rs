//! The machine below everything: open files, memory, threads, output, I/O errors as text. Also texts for people: escapes, truncation,
//! spelling.

pub(crate) mod descriptors;
pub(crate) mod digits;
pub(crate) mod escape;
pub(crate) mod io_error;
pub(crate) mod job_thread;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod output;
pub(crate) mod paint;
pub(crate) mod renewed_thread;
pub(crate) mod spelling;
pub(crate) mod truncate;
pub(crate) mod wildcard;
