//! The broker as the run time sees it. Only `librdkafka` below names the client library.

mod collector;
mod librdkafka;
mod partition;

pub use collector::Collector;
pub use librdkafka::admin::{Admin, NewTopic};
pub use librdkafka::consumer::{
    Assignment, CommittedOffset, ConsumerEvent, GroupConsumer, StartAt,
};
pub use librdkafka::failure::FailureCause;
pub use librdkafka::group::GroupMember;
pub use librdkafka::native::{BorrowedRecord, TopicHandle};
pub use librdkafka::producer::{
    DeliveryFailure, PreparedRecord, SharedHeaders, TransactionalProducer,
};
pub use librdkafka::reader::{EndOffsets, OffsetRange, PartitionReader, ReadEvent};
pub use partition::partition_for_key;
