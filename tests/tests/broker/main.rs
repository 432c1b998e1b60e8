//! What needs a real Kafka or a real Postgres. Run by `./dev test`.

mod harness;
