//! What the machine says: I/O errors in words, open files, memory; threads with a queue; output that waits for nobody; and how far two words are apart.

pub(crate) mod descriptors;
pub(crate) mod escape;
pub(crate) mod io_error;
pub(crate) mod job_thread;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod output;
pub(crate) mod renewed_thread;
pub(crate) mod spelling;
pub(crate) mod truncate;
