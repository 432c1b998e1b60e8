//! One change becomes the bytes of its Kafka records: Debezium's envelope as Kafka Connect's
//! `JsonConverter` writes it.

mod change;
mod encoder;
mod record;

pub use change::{Cell, Change, Operation, SnapshotMarker, SourcePosition};
pub use encoder::{EnvelopeEncoder, TableEncoder};
pub use record::{Header, OutgoingRecord};
