//! What the machine says: I/O errors in words, open files, memory; and how far two words are apart.

pub mod descriptors;
pub mod io_error;
pub mod lock;
pub mod memory;
pub mod spelling;
