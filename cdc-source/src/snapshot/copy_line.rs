//! The text format of `COPY … TO STDOUT`: a line per row, a tab between columns.
//!
//! Format: "File Formats" of COPY in the Postgres documentation.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::envelope::Cell;

/// Takes lines apart; its buffers are reused from line to line.
#[derive(Debug, Default)]
pub struct CopyLine {
    fields: Vec<Field>,
    unescaped: Vec<u8>,
}

#[derive(Debug)]
enum Field {
    Null,
    Plain(Range<usize>),
    Unescaped(Range<usize>),
}

impl CopyLine {
    /// Appends the cells of a line to `cells`: they point into the line itself, or, where it has
    /// escapes, into this value's buffer.
    pub fn split<'a>(&'a mut self, line: &'a [u8], cells: &mut Vec<Cell<'a>>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if memchr(b'\\', line).is_none() {
            cells.extend(fields(line).map(|range| text(line, &range)));
            return;
        }
        self.fields.clear();
        self.unescaped.clear();
        for range in fields(line) {
            let field = line.get(range.clone()).unwrap_or_default();
            self.fields.push(if field == br"\N" {
                Field::Null
            } else if memchr(b'\\', field).is_some() {
                let from = self.unescaped.len();
                unescape(field, &mut self.unescaped);
                Field::Unescaped(from..self.unescaped.len())
            } else {
                Field::Plain(range)
            });
        }
        let unescaped: &'a [u8] = &self.unescaped;
        cells.extend(self.fields.iter().map(|field| match field {
            Field::Null => Cell::Null,
            Field::Plain(range) => text(line, range),
            Field::Unescaped(range) => text(unescaped, range),
        }));
    }
}

/// Where the fields of a line stand.
fn fields(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let ends = memchr_iter(b'\t', line).chain([line.len()]);
    ends.scan(0, |start, end| {
        let field = *start..end;
        *start = end + 1;
        Some(field)
    })
}

fn text<'a>(bytes: &'a [u8], range: &Range<usize>) -> Cell<'a> {
    bytes.get(range.clone()).map_or(Cell::Null, Cell::Text)
}

/// Undoes COPY's backslashes. The server writes only the named escapes and `\\`; octal and
/// hexadecimal ones are part of the format and read as well.
fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut rest = field;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escaped, tail)) = rest.split_first() else {
            out.push(b'\\');
            return;
        };
        rest = tail;
        match escaped {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(0x0b),
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                rest = digits(rest, 8, 2, &mut value);
                out.push(value as u8);
            }
            b'x' => {
                let mut value = 0;
                let after = digits(rest, 16, 2, &mut value);
                out.push(if after.len() == rest.len() {
                    b'x'
                } else {
                    value as u8
                });
                rest = after;
            }
            other => out.push(*other),
        }
    }
}

fn digits<'a>(mut rest: &'a [u8], radix: u32, count_max: usize, value: &mut u32) -> &'a [u8] {
    for _ in 0..count_max {
        let Some((digit, tail)) = rest
            .split_first()
            .and_then(|(byte, tail)| Some((char::from(*byte).to_digit(radix)?, tail)))
        else {
            break;
        };
        *value = *value * radix + digit;
        rest = tail;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut cells = Vec::new();
        let mut copy = CopyLine::default();
        copy.split(line, &mut cells);
        let owned = cells.iter().map(|cell| match cell {
            Cell::Text(text) => Some(text.to_vec()),
            _ => None,
        });
        owned.collect()
    }

    #[test]
    fn a_plain_line_is_split_at_tabs_and_points_into_the_line() {
        let line = b"1\tann\t\n";
        let mut cells = Vec::new();
        let mut copy = CopyLine::default();
        copy.split(line, &mut cells);
        assert_eq!(
            cells,
            [Cell::Text(b"1"), Cell::Text(b"ann"), Cell::Text(b"")]
        );
        let Cell::Text(name) = cells[1] else {
            panic!("text")
        };
        assert!(line.as_ptr_range().contains(&name.as_ptr()));
    }

    #[test]
    fn null_is_told_from_the_text_backslash_n() {
        let expected = [None, Some(br"\N".to_vec()), Some(b"N".to_vec()), None];
        assert_eq!(split(b"\\N\t\\\\N\tN\t\\N\n"), expected);
    }

    #[test]
    fn escapes_are_undone() {
        let line = br"a\tb\nc\\d\re\ff\vg\bh".as_slice();
        assert_eq!(
            split(line),
            [Some(b"a\tb\nc\\d\re\x0cf\x0bg\x08h".to_vec())]
        );
        assert_eq!(split(br"\101\x42\x4g\xz\q"), [Some(b"AB\x04gxzq".to_vec())]);
        assert_eq!(split(b"end\\"), [Some(b"end\\".to_vec())]);
    }

    #[test]
    fn the_buffers_are_right_for_every_line_in_turn() {
        let mut copy = CopyLine::default();
        for (line, expected) in [
            (b"\\\\\tx".as_slice(), [Cell::Text(b"\\"), Cell::Text(b"x")]),
            (b"y\t\\N", [Cell::Text(b"y"), Cell::Null]),
            (b"z\t\\tq", [Cell::Text(b"z"), Cell::Text(b"\tq")]),
        ] {
            let mut cells = Vec::new();
            copy.split(line, &mut cells);
            assert_eq!(cells, expected);
        }
    }
}
