//! The connector's transforms (Connect's single message transforms), planned once per table.
