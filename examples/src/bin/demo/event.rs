//! What the demo reads of a record: which change of which row it is.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The label of a null value.
pub(crate) const TOMBSTONE: &str = "tombstone";
/// The label of a value that is no change event.
pub(crate) const INVALID: &str = "invalid";
/// What the keys of the records begin with that are wrong on purpose.
pub(crate) const INVALID_KEY: &str = "bad-";

/// A row's columns.
pub(crate) type Row = Map<String, Value>;

/// A record's value.
#[derive(Debug)]
pub(crate) enum Event {
    /// A change of a row.
    Change(Change),
    /// A null.
    Tombstone,
    /// Anything else.
    Invalid,
}

/// A change of a row, as Debezium's envelope tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    op: String,
    after: Option<Row>,
    source: Source,
}

#[derive(Debug, Deserialize)]
struct Source {
    ts_ms: i64,
}

/// The connector's converters write schema and payload, as Kafka Connect's do by default.
#[derive(Debug, Deserialize)]
struct Wrapped<T> {
    payload: T,
}

#[derive(Debug, Deserialize)]
struct Key {
    id: i64,
}

/// A dead letter of `processors events`.
#[derive(Debug, Deserialize)]
struct Document {
    original_event: Value,
}

impl Event {
    /// Reads a record's value.
    pub(crate) fn read(value: Option<&[u8]>) -> Self {
        let Some(value) = value else {
            return Self::Tombstone;
        };
        Self::checked(serde_json::from_slice(value))
    }

    /// Reads the event that a dead letter of `processors events` is about.
    pub(crate) fn read_document(value: Option<&[u8]>) -> Self {
        let document = serde_json::from_slice(value.unwrap_or_default());
        Self::checked(
            document.and_then(|document: Document| serde_json::from_value(document.original_event)),
        )
    }

    fn checked(change: serde_json::Result<Wrapped<Change>>) -> Self {
        match change {
            Ok(Wrapped { payload }) if ["c", "u", "d", "r"].contains(&payload.op.as_str()) => {
                Self::Change(payload)
            }
            _ => Self::Invalid,
        }
    }

    /// What tells this event of a row from the others of that row.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Change(change) => label(&change.op, change.version()),
            Self::Tombstone => String::from(TOMBSTONE),
            Self::Invalid => String::from(INVALID),
        }
    }

    /// Whether `processors events` has to reject it for the row that it holds: an email that is
    /// none, or a negative amount.
    pub(crate) fn breaks_rule(&self) -> bool {
        let Self::Change(Change {
            after: Some(row), ..
        }) = self
        else {
            return false;
        };
        let email = row.get("email").and_then(Value::as_str);
        let mut amounts = ["amount", "price"]
            .iter()
            .filter_map(|name| row.get(*name)?.as_f64());
        email.is_some_and(|email| !email.contains('@')) || amounts.any(|amount| amount < 0.0)
    }
}

impl Change {
    /// The row after the change; `None` once it is deleted.
    pub(crate) fn after(&self) -> Option<&Row> {
        self.after.as_ref()
    }

    /// When the change was committed, in ms since the epoch; `None` for a snapshot's row.
    pub(crate) fn committed_ms(&self) -> Option<i64> {
        (self.op != "r").then_some(self.source.ts_ms)
    }

    fn version(&self) -> Option<i64> {
        self.after()?.get("version")?.as_i64()
    }
}

/// The label of a change. A row is deleted once and its key never used again, so a delete needs no
/// version, which the event of a table with the default replica identity does not have.
pub(crate) fn label(op: &str, version: Option<i64>) -> String {
    match version {
        Some(version) if op != "d" => format!("{op} {version}"),
        _ => op.to_owned(),
    }
}

/// The id of the row that a key names; `None` for keys that are wrong on purpose.
pub(crate) fn row_id(key: Option<&[u8]>) -> Option<i64> {
    let key: Wrapped<Key> = serde_json::from_slice(key?).ok()?;
    Some(key.payload.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_change_has_the_same_label_in_the_ledger_and_in_the_topics() {
        let update = br#"{"schema":{},"payload":{"op":"u","before":null,"after":{"id":7,
            "version":3},"source":{"ts_ms":1}},"processed_at":2}"#;
        assert_eq!(Event::read(Some(update)).label(), label("u", Some(3)));
        let delete = br#"{"payload":{"op":"d","before":{"id":7},"after":null,
            "source":{"ts_ms":1}}}"#;
        assert_eq!(Event::read(Some(delete)).label(), label("d", Some(3)));
        let letter = br#"{"original_event":{"payload":{"op":"c","after":{"version":1},
            "source":{"ts_ms":1}}},"error":"..."}"#;
        assert_eq!(Event::read_document(Some(letter)).label(), "c 1");
    }

    #[test]
    fn what_is_no_change_is_invalid() {
        for text in [
            "",
            "{",
            "{}",
            r#"{"payload":{"op":"x","source":{"ts_ms":1}}}"#,
        ] {
            assert_eq!(
                Event::read(Some(text.as_bytes())).label(),
                INVALID,
                "{text}"
            );
        }
        assert_eq!(Event::read(None).label(), TOMBSTONE);
    }

    #[test]
    fn key_names_its_row() {
        assert_eq!(
            row_id(Some(br#"{"schema":{},"payload":{"id":7}}"#)),
            Some(7)
        );
        assert_eq!(row_id(Some(b"bad-1")), None);
    }
}
