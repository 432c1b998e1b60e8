//! The columns of a row.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::EventError;
use super::wire::Text;

/// The columns of a row, in their order.
#[derive(Debug)]
pub struct Row<'a>(Vec<Column<'a>>);

/// One column of a row.
#[derive(Debug)]
pub struct Column<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value, as JSON.
    pub value: &'a RawValue,
}

impl<'a> Row<'a> {
    pub(super) fn read(json: &'a RawValue) -> Result<Self, EventError> {
        // The text was JSON before; only its shape can be wrong.
        serde_json::from_str(json.get()).map_err(|error| EventError::OtherShape {
            line: error.line(),
            column: error.column(),
        })
    }

    /// All columns.
    pub fn columns(&self) -> &[Column<'a>] {
        &self.0
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column<'a>> {
        self.0.iter().find(|column| column.name == name)
    }
}

impl Column<'_> {
    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        self.value.get() == "null"
    }

    /// The value, if it is text.
    pub fn text(&self) -> Option<String> {
        serde_json::from_str(self.value.get()).ok()
    }

    /// The value, if it is a number.
    pub fn number(&self) -> Option<f64> {
        serde_json::from_str(self.value.get()).ok()
    }
}

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut columns = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            columns.push(Column { name, value });
        }
        Ok(Row(columns))
    }
}
