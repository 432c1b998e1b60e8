//! Tables as Postgres describes them, and the Connect schemas that they become.

mod table;

pub use table::{Column, ReplicaIdentity, Table};
