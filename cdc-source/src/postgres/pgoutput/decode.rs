//! From the bytes of a message to the message.
//!
//! Format: "Logical Replication Message Formats" in the Postgres documentation, protocol version 1.

use thiserror::Error;

use super::{Message, OldRow, Origin, Relation, RelationColumn};
use crate::envelope::Cell;
use crate::schema::ReplicaIdentity;

/// A message that does not have pgoutput's form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The message ends within a field.
    #[error("a pgoutput message ends within {0}")]
    Truncated(&'static str),
    /// A byte that stands for a kind of thing has an unknown value.
    #[error("a pgoutput message has the unknown {0} 0x{1:02x}")]
    Unknown(&'static str, u8),
    /// A name is not UTF-8.
    #[error("a pgoutput message has a name that is not UTF-8")]
    Name,
}

/// The cells of one row, with room that is reused from message to message.
#[derive(Debug, Default)]
pub struct Row<'a> {
    /// One cell per column of the relation; empty when the message has no such row.
    pub cells: Vec<Cell<'a>>,
}

impl Row<'_> {
    /// The same room for a row of another message.
    pub fn recycle<'b>(mut self) -> Row<'b> {
        self.cells.clear();
        // Collecting from a vector's own iterator keeps its allocation, so that only the lifetime
        // changes.
        Row {
            cells: self.cells.into_iter().map(|_| Cell::Null).collect(),
        }
    }
}

/// Decodes one message; the rows that it carries go into `old` and `new`.
///
/// # Errors
/// When the message does not have pgoutput's form.
pub fn decode<'a>(
    bytes: &'a [u8],
    old: &mut Row<'a>,
    new: &mut Row<'a>,
) -> Result<Message, DecodeError> {
    old.cells.clear();
    new.cells.clear();
    let mut reader = Reader { bytes };
    match reader.u8("its kind")? {
        b'R' => relation(&mut reader).map(Message::Relation),
        b'I' => {
            let relation_id = reader.u32("a relation's id")?;
            reader.expect(b'N', "kind of row")?;
            reader.row(new)?;
            Ok(Message::Insert { relation_id })
        }
        b'U' => {
            let relation_id = reader.u32("a relation's id")?;
            let mut kind = reader.u8("the kind of a row")?;
            let mut old_row = OldRow::None;
            if kind != b'N' {
                old_row = old_kind(kind)?;
                reader.row(old)?;
                kind = reader.u8("the kind of a row")?;
            }
            if kind != b'N' {
                return Err(DecodeError::Unknown("kind of row", kind));
            }
            reader.row(new)?;
            Ok(Message::Update {
                relation_id,
                old: old_row,
            })
        }
        b'D' => {
            let relation_id = reader.u32("a relation's id")?;
            let old_row = old_kind(reader.u8("the kind of a row")?)?;
            reader.row(old)?;
            Ok(Message::Delete {
                relation_id,
                old: old_row,
            })
        }
        b'T' => {
            let count = reader.u32("the number of truncated tables")?;
            let _options = reader.u8("the options of a truncate")?;
            let relation_ids = (0..count)
                .map(|_| reader.u32("a truncated table's id"))
                .collect::<Result<_, _>>()?;
            Ok(Message::Truncate { relation_ids })
        }
        b'O' => Ok(Message::Origin(Origin {
            commit_lsn: reader.u64("an origin's commit LSN")?,
            name: reader.name()?,
        })),
        other => Ok(Message::Other(other)),
    }
}

fn old_kind(kind: u8) -> Result<OldRow, DecodeError> {
    match kind {
        b'K' => Ok(OldRow::Key),
        b'O' => Ok(OldRow::Full),
        other => Err(DecodeError::Unknown("kind of row", other)),
    }
}

fn relation(reader: &mut Reader<'_>) -> Result<Relation, DecodeError> {
    let id = reader.u32("a relation's id")?;
    let schema = reader.name()?;
    let name = reader.name()?;
    let replica_identity = match reader.u8("a replica identity")? {
        b'd' => ReplicaIdentity::Default,
        b'n' => ReplicaIdentity::Nothing,
        b'f' => ReplicaIdentity::Full,
        b'i' => ReplicaIdentity::Index,
        other => return Err(DecodeError::Unknown("replica identity", other)),
    };
    let count = reader.u16("the number of columns")?;
    let mut columns = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        columns.push(RelationColumn {
            is_identity: reader.u8("a column's flags")? & 1 != 0,
            name: reader.name()?,
            type_oid: reader.u32("a column's type")?,
            type_modifier: reader.u32("a column's type modifier")?.cast_signed(),
        });
    }
    // Postgres's own tables have an empty schema here.
    let schema = if schema.is_empty() {
        "pg_catalog".to_owned()
    } else {
        schema
    };
    Ok(Relation {
        id,
        schema,
        name,
        replica_identity,
        columns,
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .bytes
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated(what))?;
        self.bytes = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .bytes
            .split_first_chunk()
            .ok_or(DecodeError::Truncated(what))?;
        self.bytes = tail;
        Ok(*head)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), DecodeError> {
        match self.u8(what)? {
            found if found == byte => Ok(()),
            other => Err(DecodeError::Unknown(what, other)),
        }
    }

    fn name(&mut self) -> Result<String, DecodeError> {
        let end = self.bytes.iter().position(|byte| *byte == 0);
        let end = end.ok_or(DecodeError::Truncated("a name"))?;
        let name = self.take(end, "a name")?;
        self.take(1, "a name")?;
        String::from_utf8(name.to_vec()).map_err(|_| DecodeError::Name)
    }

    fn row(&mut self, row: &mut Row<'a>) -> Result<(), DecodeError> {
        let count = self.u16("the number of cells")?;
        row.cells.reserve(usize::from(count));
        for _ in 0..count {
            let cell = match self.u8("a cell's kind")? {
                b'n' => Cell::Null,
                b'u' => Cell::UnchangedToast,
                b't' => {
                    let length = self.u32("a cell's length")? as usize;
                    Cell::Text(self.take(length, "a cell")?)
                }
                other => return Err(DecodeError::Unknown("kind of cell", other)),
            };
            row.cells.push(cell);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "decode_test.rs"]
mod tests;
