//! The settings of an application, through the public API.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod client;
mod jvm;
mod security;
mod setting;
