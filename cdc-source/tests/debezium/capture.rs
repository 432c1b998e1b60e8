//! One scenario's files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cdc_source::schema::{Column, ReplicaIdentity, Table};
use serde_json::{Map, Value};

use crate::pgoutput::{Message, OwnedCell, OwnedRow};

/// A record as Kafka had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedRecord {
    pub(crate) topic: String,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) headers: Vec<(String, Option<String>)>,
}

/// A captured scenario.
pub(crate) struct Capture {
    folder: PathBuf,
    tables: BTreeMap<String, Table>,
}

impl Capture {
    pub(crate) fn read(scenario: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/conformance/debezium")
            .join(scenario);
        let tables = lines(&folder.join("catalog.jsonl"))
            .iter()
            .map(table)
            .map(|table| (format!("{}.{}", table.schema, table.name), table))
            .collect();
        Self { folder, tables }
    }

    /// The connector's JSON, with what a variant changes in it; the empty one changes nothing.
    pub(crate) fn connector(&self, variant: &str) -> String {
        let read = |path: PathBuf| -> Map<String, Value> {
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        };
        let mut connector = read(self.folder.join("connector.json"));
        if !variant.is_empty() {
            let changes = read(self.folder.join(format!("variants/{variant}.json")));
            let config = connector["config"].as_object_mut().unwrap();
            for (key, value) in changes {
                if value.is_null() {
                    config.remove(&key);
                } else {
                    config.insert(key, value);
                }
            }
        }
        Value::Object(connector).to_string()
    }

    /// The records on the topics of tables.
    pub(crate) fn records(&self, variant: &str) -> Vec<ExpectedRecord> {
        let mut records = self.all_records(variant);
        records.retain(|record| !record.topic.starts_with("__debezium-heartbeat"));
        records
    }

    /// All records, heartbeats among them.
    pub(crate) fn all_records(&self, variant: &str) -> Vec<ExpectedRecord> {
        let path = match variant {
            "" => self.folder.join("records.jsonl"),
            _ => self
                .folder
                .join(format!("variants/{variant}.records.jsonl")),
        };
        lines(&path)
            .iter()
            .map(|record| ExpectedRecord {
                topic: text(&record["topic"]).unwrap(),
                key: text(&record["key"]),
                value: text(&record["value"]),
                headers: record["headers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|header| (text(&header["name"]).unwrap(), text(&header["value"])))
                    .collect(),
            })
            .collect()
    }

    pub(crate) fn table(&self, name: &str) -> Option<Table> {
        self.tables.get(name).cloned()
    }

    /// The rows as COPY gives them, with the names of their tables.
    pub(crate) fn snapshot_rows(&self) -> Vec<(String, OwnedRow)> {
        lines(&self.folder.join("rows.jsonl"))
            .iter()
            .filter(|line| line["table"] != "computed")
            .map(|line| {
                let name = format!(
                    "{}.{}",
                    text(&line["schema"]).unwrap(),
                    text(&line["table"]).unwrap()
                );
                (name, copy_row(&text(&line["row"]).unwrap()))
            })
            .collect()
    }

    /// The messages of the stream.
    pub(crate) fn messages(&self) -> Vec<Message> {
        lines(&self.folder.join("pgoutput.jsonl"))
            .iter()
            .map(|line| Message::parse(&hex(&text(&line["message"]).unwrap())))
            .collect()
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{} is not there: {error}", path.display()));
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

fn table(line: &Value) -> Table {
    let columns: Vec<Column> = line["columns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["generated"] != true)
        .map(|column| Column {
            name: text(&column["name"]).unwrap(),
            type_oid: column["type_oid"].as_u64().unwrap() as u32,
            type_modifier: column["type_modifier"].as_i64().unwrap() as i32,
            type_name: text(&column["type_name"]).unwrap(),
            nullable: column["nullable"].as_bool().unwrap(),
            default_expression: text(&column["default_expression"]),
        })
        .collect();
    let key_columns = key_columns(&columns, line["indexes"].as_array().unwrap());
    Table {
        schema: text(&line["schema"]).unwrap(),
        name: text(&line["table"]).unwrap(),
        columns,
        key_columns,
        replica_identity: match line["replica_identity"].as_str() {
            Some("f") => ReplicaIdentity::Full,
            Some("n") => ReplicaIdentity::Nothing,
            Some("i") => ReplicaIdentity::Index,
            _ => ReplicaIdentity::Default,
        },
    }
}

/// The primary key, else the first unique index over columns.
fn key_columns(columns: &[Column], indexes: &[Value]) -> Vec<usize> {
    let positions = |index: &Value| -> Option<Vec<usize>> {
        let names = index["columns"].as_array()?.iter();
        names
            .map(|name| {
                columns
                    .iter()
                    .position(|column| Some(&*column.name) == name.as_str())
            })
            .collect()
    };
    let primary = indexes
        .iter()
        .find(|index| index["primary"] == true)
        .and_then(positions);
    primary
        .or_else(|| indexes.iter().find_map(positions))
        .unwrap_or_default()
}

/// Undoes the escapes of COPY's text format.
fn copy_row(row: &str) -> OwnedRow {
    row.split('\t').map(copy_cell).collect()
}

fn copy_cell(field: &str) -> OwnedCell {
    if field == "\\N" {
        return OwnedCell::Null;
    }
    let mut text = String::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    OwnedCell::Text(text.into_bytes())
}
