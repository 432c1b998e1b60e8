//! The messages of Postgres's `pgoutput` plugin, protocol version 1.
//!
//! The replication client already takes Begin, Commit and logical messages apart; what remains are
//! the relations and the rows. A row is decoded without copying: its cells point into the message.

mod decode;
mod message;

pub use decode::{DecodeError, Row, decode};
pub use message::{Message, OldRow, Origin, Relation, RelationColumn};
