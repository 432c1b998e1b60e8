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

/// Masks all of that, and what is known of some columns: their values, and their entries in
/// schemas.
pub(crate) struct Mask {
    columns: Vec<ColumnMask>,
}

struct ColumnMask {
    /// Only the rows of snapshots are masked.
    reads_only: bool,
    name: String,
    schema: Regex,
    value: Regex,
}

impl Mask {
    /// `r:` before a column's name is for the rows of snapshots only.
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|column| ColumnMask::new(column))
                .collect(),
        }
    }

    pub(crate) fn apply(&self, mut record: ExpectedRecord) -> ExpectedRecord {
        let is_read = record
            .value
            .as_ref()
            .is_some_and(|value| value.contains(r#""op":"r""#));
        let mask_columns = |text: String| {
            self.columns
                .iter()
                .filter(|column| is_read || !column.reads_only)
                .fold(text, |text, column| column.apply(&text))
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
}

impl ColumnMask {
    fn new(column: &str) -> Self {
        let name = column.strip_prefix("r:").unwrap_or(column);
        let string = r#""(?:[^"\\]|\\.)*""#;
        let attribute = [
            r#""optional":\w+"#.to_owned(),
            format!(r#""(?:name|doc)":{string}"#),
            r#""version":\d+"#.to_owned(),
            r#""parameters":\{[^}]*\}"#.to_owned(),
            format!(r#""default":(?:{string}|[^,}}]*)"#),
        ]
        .join("|");
        let schema = format!(r#"\{{"type":"\w+"(?:,(?:{attribute}))*,"field":"{name}"\}}"#);
        let value = format!(r#""{name}":(?:{string}|\[[^\]]*\]|\{{[^}}]*\}}|[^,}}\]]*)"#);
        Self {
            reads_only: name != column,
            name: name.to_owned(),
            schema: Regex::new(&schema).unwrap(),
            value: Regex::new(&value).unwrap(),
        }
    }

    fn apply(&self, text: &str) -> String {
        let name = &self.name;
        let text = self
            .schema
            .replace_all(text, format!(r#"{{"field":"{name}"}}"#));
        self.value
            .replace_all(&text, format!(r#""{name}":"masked""#))
            .into_owned()
    }
}
