//! What differs from run to run, made equal.

use std::sync::LazyLock;

use regex::Regex;

use crate::capture::ExpectedRecord;

/// Clocks, positions and ids, under their own names and under those that transforms give them.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(\w*ts_ms|\w*ts_us|\w*ts_ns|\w*lsn|\w*txId|POSITION)":\d+"#).unwrap()
});
static SEQUENCES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(\w*sequence)":"\[(?:[^"\\]|\\.)*""#).unwrap());
/// Which row of a snapshot is the first and which the last is not the encoder's to know.
static MARKERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(snapshot|__SNAP)":"(true|first\w*|last\w*)""#).unwrap());
/// Headers with such values.
static HEADERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"runId$|ts_ms$|ts_us$|ts_ns$|lsn$|txId$|POSITION$").unwrap());

/// The record with all of that masked, and without what is known of the named columns: their
/// values, and their entries in schemas. `r:` before a name is for the rows of snapshots only.
pub(crate) fn masked(mut record: ExpectedRecord, columns: &[&str]) -> ExpectedRecord {
    let is_read = record
        .value
        .as_ref()
        .is_some_and(|value| value.contains(r#""op":"r""#));
    let columns: Vec<&str> = columns
        .iter()
        .filter_map(|column| match column.strip_prefix("r:") {
            Some(column) => is_read.then_some(column),
            None => Some(*column),
        })
        .collect();
    let mask_columns = |text: String| {
        columns
            .iter()
            .fold(text, |text, column| mask_column(&text, column))
    };
    record.key = record.key.map(mask_columns);
    record.value = record.value.map(|value| {
        let value = NUMBERS.replace_all(&value, r#""$1":0"#);
        let value = SEQUENCES.replace_all(&value, r#""$1":"""#);
        let value = MARKERS.replace_all(&value, r#""$1":"true""#);
        mask_columns(value.into_owned())
    });
    for (name, value) in &mut record.headers {
        if HEADERS.is_match(name) && value.is_some() {
            *value = Some("masked".to_owned());
        }
    }
    record
}

fn mask_column(text: &str, column: &str) -> String {
    let string = r#""(?:[^"\\]|\\.)*""#;
    let value = format!(r#""{column}":(?:{string}|\[[^\]]*\]|\{{[^}}]*\}}|[^,}}\]]*)"#);
    let schema = format!(
        r#"\{{"type":"\w+"(?:,"optional":\w+|,"(?:name|doc)":{string}|,"version":\d+|,"parameters":\{{[^}}]*\}}|,"default":(?:{string}|[^,}}]*))*,"field":"{column}"\}}"#
    );
    let text = Regex::new(&schema)
        .unwrap()
        .replace_all(text, format!(r#"{{"field":"{column}"}}"#));
    Regex::new(&value)
        .unwrap()
        .replace_all(&text, format!(r#""{column}":"masked""#))
        .into_owned()
}
