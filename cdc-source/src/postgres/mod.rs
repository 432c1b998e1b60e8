//! What is particular to Postgres: its protocol, its catalogue, and the text form of its values.

pub mod value;
