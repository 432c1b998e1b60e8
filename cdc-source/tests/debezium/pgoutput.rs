//! Just enough of pgoutput's messages to replay a capture, independent of the crate's own decoder.

use cdc_source::envelope::{Cell, Operation};

/// A cell that owns its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnedCell {
    Null,
    UnchangedToast,
    Text(Vec<u8>),
}

pub(crate) type OwnedRow = Vec<OwnedCell>;

/// The row as the encoder takes it.
pub(crate) fn cells(row: &OwnedRow) -> Vec<Cell<'_>> {
    row.iter()
        .map(|cell| match cell {
            OwnedCell::Null => Cell::Null,
            OwnedCell::UnchangedToast => Cell::UnchangedToast,
            OwnedCell::Text(text) => Cell::Text(text),
        })
        .collect()
}

/// A message, as far as the encoder needs it.
#[derive(Debug)]
pub(crate) enum Message {
    Relation {
        id: u32,
        /// `schema.table`.
        table: String,
    },
    Row {
        relation: u32,
        operation: Operation,
        before: Option<OwnedRow>,
        old_key: Option<OwnedRow>,
        after: Option<OwnedRow>,
    },
    Truncate {
        relation_ids: Vec<u32>,
    },
    Other,
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap();
        self.0 = rest;
        *first
    }

    fn uint(&mut self, bytes: usize) -> u32 {
        (0..bytes).fold(0, |sum, _| sum << 8 | u32::from(self.byte()))
    }

    fn name(&mut self) -> String {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap();
        let name = String::from_utf8(self.0[..end].to_vec()).unwrap();
        self.0 = &self.0[end + 1..];
        name
    }

    fn row(&mut self) -> OwnedRow {
        (0..self.uint(2))
            .map(|_| match self.byte() {
                b'n' => OwnedCell::Null,
                b'u' => OwnedCell::UnchangedToast,
                _ => {
                    let length = self.uint(4) as usize;
                    let text = self.0[..length].to_vec();
                    self.0 = &self.0[length..];
                    OwnedCell::Text(text)
                }
            })
            .collect()
    }
}

impl Message {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut reader = Reader(bytes);
        match reader.byte() {
            b'R' => {
                let id = reader.uint(4);
                let schema = reader.name();
                Self::Relation {
                    id,
                    table: format!("{schema}.{}", reader.name()),
                }
            }
            b'T' => {
                let count = reader.uint(4);
                reader.byte();
                Self::Truncate {
                    relation_ids: (0..count).map(|_| reader.uint(4)).collect(),
                }
            }
            kind @ (b'I' | b'U' | b'D') => {
                let operation = match kind {
                    b'I' => Operation::Create,
                    b'U' => Operation::Update,
                    _ => Operation::Delete,
                };
                let relation = reader.uint(4);
                let (mut before, mut old_key, mut after) = (None, None, None);
                while !reader.0.is_empty() {
                    match reader.byte() {
                        b'O' => before = Some(reader.row()),
                        b'K' => old_key = Some(reader.row()),
                        _ => after = Some(reader.row()),
                    }
                }
                Self::Row {
                    relation,
                    operation,
                    before,
                    old_key,
                    after,
                }
            }
            _ => Self::Other,
        }
    }
}
