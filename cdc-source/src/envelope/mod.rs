//! One change becomes the bytes of its Kafka records: Debezium's envelope as Kafka Connect's
//! `JsonConverter` writes it.
//!
//! # Where it differs from Debezium 3.7
//!
//! The bytes are the same but for what follows.
//!
//! - An old tuple that does not hold the key (`REPLICA IDENTITY USING INDEX` over other columns,
//!   `message.key.columns` beyond the identity): Debezium makes a key of zeros, which may be
//!   another row's. Here the delete has no key and no tombstone, and an update is no change of key.
//!   A topic that is compacted refuses records without a key; `REPLICA IDENTITY FULL` logs it.
//! - A key column that `column.exclude.list` leaves out: a zero there, its value here.
//! - `numeric` with a negative scale: a scale of around 2046 there, its own here.
//! - An unchanged TOAST value of a `bytea` under `binary.handling.mode=base64`: null there, the
//!   placeholder here.
//! - Dates before 1582 and infinite ones in snapshots: shifted there; here as in the stream.
//! - An infinite column default: an overflow there, no default here.
//! - Floats that Java before 19 prints with a digit too many: the shortest digits here.
//! - Columns of type `name`: null in the stream there, text here.
//! - `ts_ns` of the envelope has the precision of microseconds.
//! - Types that are not known here (arrays, money, intervals, ranges, geometry and more): their
//!   text.
//! - `delete.handling.mode` and `drop.tombstones` of `ExtractNewRecordState` are ignored there;
//!   here they hold where their new name is absent.
//!
//! # How it is fast
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

pub(crate) use json::{Moment, pair, push_int, push_optional_int, push_string, quoted};
pub(crate) use row::{NullPolicy, Row, RowEncoder};
pub(crate) use source::{EnvelopeField, EventContext, Scalar, SourceBlock, SourceField};
