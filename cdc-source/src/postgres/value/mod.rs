//! Postgres's text values, read into what Connect's types hold.
//!
//! The rules are those of Debezium's `PostgresValueConverter` and `JdbcValueConverters` behind
//! pgoutput; the JSON is that of Connect's `JsonConverter`.

mod binary;
mod decimal;
mod default;
mod encoder;
mod float;
mod kind;
mod oid;
mod temporal;

#[cfg(test)]
mod temporal_test;

pub(crate) use encoder::ValueEncoder;
pub(crate) use kind::ColumnKind;
