//! The connector's transforms (Connect's single message transforms), planned once per table so
//! that they cost nothing per row.
//!
//! `RegexRouter` becomes another topic name; `ExtractNewRecordState` becomes another text around
//! the same row encoders. Schema names stay those of the topic before routing, as on the JVM.

mod extract;
mod plan;

pub(crate) use extract::ExtractPlan;
pub(crate) use plan::TransformPlan;
