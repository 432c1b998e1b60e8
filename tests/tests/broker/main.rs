//! What needs a real Kafka or a real Postgres. Run by `./dev test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail"
)]

mod cdc_connector;
mod cdc_crash;
mod cdc_outage;
mod cdc_refusal;
mod cdc_stream;
mod cdc_workload;
mod chaos;
mod damage;
mod deduplication;
mod handover;
mod harness;
mod partitioning;
mod processors;
mod queries;
mod runtime;
mod state_app;
mod state_crash;
mod state_joins;
mod state_refusal;
mod state_restart;
mod state_topic;
