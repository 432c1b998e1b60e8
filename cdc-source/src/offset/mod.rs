//! How far the connector has come, as Debezium writes it into Kafka Connect's offsets topic.

mod source_offset;
mod topic;

pub use source_offset::{OffsetError, OpenTransaction, SnapshotProgress, SourceOffset, offset_key};
pub use topic::OffsetTopic;
