//! One processor for each operator. A closure of the user's is shared by all tasks, and called
//! directly: the processors are generic over it.

mod aggregate;
mod branch;
mod change;
mod changed_serde;
mod deduplicate;
mod filter;
mod final_emission;
mod flat_map;
mod flat_map_values;
mod for_each;
mod foreign_key_join;
mod global_table_source;
mod graced_look_up;
mod look_up;
mod map;
mod map_values;
mod murmur3;
mod null;
mod pass_through;
mod peek;
mod print;
mod rejected;
mod retry;
mod select_key;
mod self_join;
mod session_aggregate;
mod sliding_aggregate;
mod stream_join;
mod subscription;
mod suppress;
mod table_aggregate;
mod table_filter;
mod table_group;
mod table_join;
mod table_map_values;
mod table_source;
mod table_store;
mod table_transform;
mod to_stream;
mod try_map_values;
mod unjoined;
mod window_aggregate;
mod window_results;

pub(crate) use aggregate::{Aggregate, Initial};
pub(crate) use branch::{Branch, Predicate};
pub(crate) use change::Change;
pub(crate) use changed_serde::ChangedSerde;
pub(crate) use deduplicate::{Deduplicate, KeyAndIdSerde};
pub(crate) use filter::Filter;
pub(crate) use final_emission::{Due, FinalEmission};
pub(crate) use flat_map::FlatMap;
pub(crate) use flat_map_values::FlatMapValues;
pub(crate) use for_each::ForEach;
pub(crate) use foreign_key_join::{
    ForeignTableJoin, ResponseJoin, SubscriptionJoin, SubscriptionReceive, SubscriptionSend,
};
pub(crate) use global_table_source::GlobalTableSource;
pub(crate) use graced_look_up::GracedLookUp;
pub(crate) use look_up::{Found, LookUp};
pub(crate) use map::Map;
pub(crate) use map_values::MapValues;
pub(crate) use null::{SkipNullKeys, SkipNullValues};
pub(crate) use pass_through::PassThrough;
pub(crate) use peek::Peek;
pub(crate) use print::Print;
pub(crate) use rejected::DeadLetter;
pub(crate) use retry::RetryMapValues;
pub(crate) use select_key::SelectKey;
pub(crate) use self_join::{SelfJoin, TypedSelfJoin};
pub(crate) use session_aggregate::SessionAggregate;
pub(crate) use sliding_aggregate::SlidingAggregate;
pub(crate) use stream_join::{KeyForm, StreamJoin, StreamJoining, StreamWindow};
pub(crate) use subscription::{
    Instruction, Subscription, SubscriptionResponse, SubscriptionResponseSerde, SubscriptionSerde,
    ValueHash,
};
pub(crate) use suppress::{Suppress, Suppression};
pub(crate) use table_aggregate::TableAggregate;
pub(crate) use table_filter::{TableFilter, TableFiltering};
pub(crate) use table_group::TableGroup;
pub(crate) use table_join::{TableJoin, TableJoining, TableMerge};
pub(crate) use table_map_values::TableMapValues;
pub(crate) use table_source::{KeyedTableSource, TableSource};
pub(crate) use table_store::{TableResults, TableStore};
pub(crate) use table_transform::{TableTransform, TransformedValues};
pub(crate) use to_stream::ToStream;
pub(crate) use try_map_values::{TakeAccepted, TakeRejected, TryMapValues, TryMapValuesKeeping};
pub(crate) use unjoined::{JoinTime, Side, SideKey, SideKeySerde, SideValue, Unjoined};

pub(crate) use window_aggregate::WindowAggregate;
pub(crate) use window_results::{Folding, Forwarding};

pub use rejected::Rejected;
pub use table_transform::ValueTransformer;
