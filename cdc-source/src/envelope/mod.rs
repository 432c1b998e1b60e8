//! One change becomes the bytes of its Kafka records: Debezium's envelope as Kafka Connect's
//! `JsonConverter` writes it.
//!
//! Everything that is the same for all rows of a table is prepared once: the schema's JSON text,
//! the columns' names, their encoders, what stands for NULL. Per row, bytes are only appended.

mod change;
mod emission;
mod encoder;
mod heartbeat;
mod json;
mod record;
mod row;
mod source;
mod table;

#[cfg(test)]
mod encoder_test;

pub use change::{Cell, Change, Operation, SnapshotMarker, SourcePosition};
pub use encoder::EnvelopeEncoder;
pub use record::{Header, OutgoingRecord};
pub use table::TableEncoder;

pub(crate) use json::{push_int, push_optional_int, push_string, quoted};
pub(crate) use row::{NullPolicy, Row, RowEncoder};
pub(crate) use source::{EnvelopeField, EventContext, Scalar, SourceBlock, SourceField};
