//! The topics of the demo, named as in the guide.

/// The tables, each of which has a topic of its name.
pub(crate) const TABLES: [&str; 3] = ["users", "orders", "products"];
/// The table whose changes `processors users` reads.
pub(crate) const USERS: &str = "users";
/// Where `processors users` writes.
pub(crate) const ANALYTICS: &str = "user-analytics";
/// Where `processors users` writes what it rejects.
pub(crate) const USERS_REJECTED: &str = "user-changes-dlq";
/// Where `processors events` writes what it rejects.
pub(crate) const EVENTS_REJECTED: &str = "cdc-dlq";
/// How many partitions each topic has.
pub(crate) const PARTITIONS: i32 = 4;

/// Where `processors events` writes the changes of a table.
pub(crate) fn processed(table: &str) -> String {
    format!("{table}-processed")
}

/// Every topic that the demo reads.
pub(crate) fn all() -> Vec<String> {
    let fixed = [ANALYTICS, USERS_REJECTED, EVENTS_REJECTED];
    let names = TABLES.into_iter().chain(fixed).map(str::to_owned);
    names.chain(TABLES.map(processed)).collect()
}
