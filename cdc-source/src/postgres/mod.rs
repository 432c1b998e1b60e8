//! What is particular to Postgres: its protocol, its catalogue, and the text form of its values.

pub mod catalog;
mod connection;
mod lsn;
pub mod pgoutput;
pub mod preflight;
pub mod publication;
mod replication;
mod slot;
pub mod value;

pub use connection::{Connection, postgres_error, quote_identifier, quote_literal};
pub use lsn::{Lsn, ParseLsnError};
pub use replication::{CreatedSlot, Replication, SlotLifetime, create_slot};
pub use slot::Slot;
