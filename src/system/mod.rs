//! What the machine says: I/O errors in words, open files, memory; and how far two words are apart.

pub(crate) mod descriptors;
pub(crate) mod io_error;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod spelling;
pub(crate) mod truncate;
