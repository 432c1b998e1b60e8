//! The serdes, through the public API.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod format;
mod jvm;
