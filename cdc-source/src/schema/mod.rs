//! Tables as Postgres describes them, and the Connect schemas that they become.

mod connect;
mod table;

pub use table::{Column, ReplicaIdentity, Table};

pub(crate) use connect::{ConnectSchema, StructSchema};
