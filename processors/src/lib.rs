//! Processors made with the DSL, ready to deploy: the changes of one table (`users`), of several
//! (`events`), and a monitor of consumer lag (`lag`).
//!
//! Each is what a user's own program would look like: a function from [`settings::Settings`] to a
//! topology, which [`application`] runs and `TopologyTestDriver` tests.

pub mod application;
pub mod command;
pub mod dead_letter;
pub mod event;
pub mod event_type;
pub mod events;
pub mod failure;
pub mod lag;
pub mod settings;
pub mod topic_check;
pub mod users;
pub mod validation;
