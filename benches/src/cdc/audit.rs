//! Whether a topic tells what happened to the table: all of it, once, in order, with its values.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::table::Sample;
use crate::Result;

/// What the events of a row are, in order, by its id: `r`, `c`, `u`, `d` as in the envelope, and
/// `t` for a tombstone.
pub(super) type History = fn(id: i64, last: i64) -> &'static str;

/// Compares a topic with the histories of the ids from `first` to `last`.
pub(super) struct Audit {
    history: History,
    first: i64,
    last: i64,
    sample: Sample,
    /// How many events of each id were seen.
    seen: Vec<u8>,
    sampled: usize,
}

/// What an event says of its origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// The row.
    pub(super) id: i64,
    /// The commit's time, µs since 1970; 0 for a tombstone.
    pub(super) commit_us: i64,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    op: &'a str,
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    ts_us: i64,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

impl Audit {
    /// An audit of the ids from `first` to `last`.
    pub(super) fn new(history: History, first: i64, last: i64, sample: Sample) -> Self {
        let count = usize::try_from(last + 1).unwrap_or(0);
        Self {
            history,
            first,
            last,
            sample,
            seen: vec![0; count],
            sampled: 0,
        }
    }

    /// How many records there must be.
    pub(super) fn record_count(&self) -> i64 {
        let ids = self.first..=self.last;
        ids.map(|id| (self.history)(id, self.last).len() as i64)
            .sum()
    }

    /// Takes in the next record.
    ///
    /// # Errors
    /// When it is not what comes next for its row.
    pub(super) fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Seen> {
        let Id { id } = serde_json::from_slice(key.unwrap_or_default())?;
        let (op, commit_us) = match value {
            None => ("t", 0),
            Some(value) => {
                let envelope: Envelope<'_> = serde_json::from_slice(value)?;
                self.check_row(id, &envelope)?;
                (envelope.op, envelope.source.ts_us)
            }
        };
        let seen = usize::try_from(id)
            .ok()
            .and_then(|id| self.seen.get_mut(id));
        let seen = seen.filter(|_| id >= self.first);
        let seen = seen.ok_or_else(|| format!("an event of id={id}, which has none"))?;
        let history = (self.history)(id, self.last);
        let expected = history.get(usize::from(*seen)..).unwrap_or_default();
        if !expected.starts_with(op) {
            let message = format!("event {seen} of id={id} is `{op}` in the history `{history}`");
            return Err(message.into());
        }
        *seen += 1;
        Ok(Seen { id, commit_us })
    }

    fn check_row(&mut self, id: i64, envelope: &Envelope<'_>) -> Result<()> {
        let Some(row) = envelope.after.or(envelope.before) else {
            return Err(format!("an event of id={id} has no row").into());
        };
        let of_row: Id = serde_json::from_str(row.get())?;
        if of_row.id != id {
            return Err(
                format!("an event with the key id={id} has the row id={}", of_row.id).into(),
            );
        }
        let version = if envelope.op == "u" { 2 } else { 1 };
        let expected = envelope.after.and_then(|_| self.sample.get(&(id, version)));
        let Some(expected) = expected else {
            return Ok(());
        };
        let actual: Value = serde_json::from_str(row.get())?;
        if actual != *expected {
            return Err(format!("id={id} is {actual} and should be {expected}").into());
        }
        self.sampled += 1;
        Ok(())
    }

    /// Tells whether everything has come.
    ///
    /// # Errors
    /// When an event of a row, or all of the sample, is missing.
    pub(super) fn finish(&self) -> Result<()> {
        for id in self.first..=self.last {
            let history = (self.history)(id, self.last);
            let seen = usize::try_from(id).ok().and_then(|id| self.seen.get(id));
            let seen = seen.copied().map_or(0, usize::from);
            if seen != history.len() {
                let message = format!("id={id} has {seen} events and should have `{history}`");
                return Err(message.into());
            }
        }
        if self.sampled == 0 {
            return Err("no sampled row was seen".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit() -> Audit {
        let row = serde_json::json!({"id": 1, "version": 1});
        Audit::new(|_, _| "cdt", 1, 2, Sample::from([((1, 1), row)]))
    }

    fn take(audit: &mut Audit, id: i64, op: &str, row: &str) -> bool {
        let key = format!("{{\"id\":{id}}}");
        let (before, after) = if op == "d" {
            (row, "null")
        } else {
            ("null", row)
        };
        let value = format!(
            "{{\"before\":{before},\"after\":{after},\"source\":{{\"ts_us\":7}},\"op\":\"{op}\"}}"
        );
        let value = (op != "t").then_some(value.as_bytes());
        audit.take(Some(key.as_bytes()), value).is_ok()
    }

    #[test]
    fn complete_histories_pass() {
        let mut audit = audit();
        for id in [1, 2] {
            let row = format!("{{\"id\":{id},\"version\":1}}");
            for op in ["c", "d", "t"] {
                assert!(take(&mut audit, id, op, &row), "{op} of {id}");
            }
        }
        assert!(audit.finish().is_ok());
        assert_eq!(audit.record_count(), 6);
    }

    #[test]
    fn what_is_doubled_missing_wrong_or_out_of_order_does_not() {
        let row = r#"{"id":1,"version":1}"#;
        let mut audit = audit();
        assert!(!take(&mut audit, 1, "d", row), "a delete before its insert");
        assert!(
            !take(&mut audit, 3, "c", r#"{"id":3}"#),
            "an id beyond the last"
        );
        assert!(
            !take(&mut audit, 0, "c", r#"{"id":0}"#),
            "an id before the first"
        );
        assert!(
            !take(&mut audit, 1, "c", r#"{"id":2}"#),
            "another row's key"
        );
        assert!(
            !take(&mut audit, 1, "c", r#"{"id":1,"version":9}"#),
            "a wrong value"
        );
        assert!(take(&mut audit, 1, "c", row));
        assert!(!take(&mut audit, 1, "c", row), "a double");
        assert!(audit.finish().is_err(), "missing events");
    }
}
