//! The broker as the run time sees it. Only `librdkafka` below names the client library.

mod collector;
mod librdkafka;

pub use collector::Collector;
pub use librdkafka::admin::{Admin, NewTopic};
pub use librdkafka::consumer::{
    Assignment, CommittedOffset, ConsumerEvent, GroupConsumer, StartAt,
};
pub use librdkafka::failure::FailureCause;
pub use librdkafka::native::TopicHandle;
pub use librdkafka::producer::{
    DeliveryFailure, PreparedRecord, SharedHeaders, TransactionalProducer,
};
