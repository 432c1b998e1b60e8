//! Postgres's text values, read into what Connect's types hold.
