//! The initial snapshot.
mod copy_line;

pub use copy_line::CopyLine;
