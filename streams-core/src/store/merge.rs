//! Layers of a store, read as one.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::store::overlay::Write;

/// Writes over other writes, both in the same order: of one key only the upper is seen.
pub(super) struct Layered<U: Iterator, L: Iterator> {
    upper: Peekable<U>,
    lower: Peekable<L>,
    is_reverse: bool,
}

impl<'a, U, L> Layered<U, L>
where
    U: Iterator<Item = Write<'a>>,
    L: Iterator<Item = Write<'a>>,
{
    pub(super) fn new(upper: U, lower: L, is_reverse: bool) -> Self {
        Self {
            upper: upper.peekable(),
            lower: lower.peekable(),
            is_reverse,
        }
    }
}

impl<'a, U, L> Iterator for Layered<U, L>
where
    U: Iterator<Item = Write<'a>>,
    L: Iterator<Item = Write<'a>>,
{
    type Item = Write<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.upper.peek(), self.lower.peek()) {
            (Some((upper, _)), Some((lower, _))) if self.is_reverse => lower.cmp(upper),
            (Some((upper, _)), Some((lower, _))) => upper.cmp(lower),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        match order {
            Ordering::Less => self.upper.next(),
            Ordering::Equal => {
                self.lower.next();
                self.upper.next()
            }
            Ordering::Greater => self.lower.next(),
        }
    }
}

/// Merges what is committed with the writes over it, in the order of a span, and shows each entry
/// to `show` until it returns false.
pub(super) struct Merge<'a, W: Iterator<Item = Write<'a>>, S> {
    writes: Peekable<W>,
    is_reverse: bool,
    show: S,
    wants_more: bool,
}

impl<'a, W, S> Merge<'a, W, S>
where
    W: Iterator<Item = Write<'a>>,
    S: FnMut(&[u8], &[u8]) -> bool,
{
    pub(super) fn new(writes: W, is_reverse: bool, show: S) -> Self {
        Self {
            writes: writes.peekable(),
            is_reverse,
            show,
            wants_more: true,
        }
    }

    /// Takes the next committed entry, after the writes that come before it; returns whether more
    /// is wanted. The value is `None` if the entry is deleted with its range.
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> bool {
        let is_reverse = self.is_reverse;
        let is_due = |write: &Write<'a>| match is_reverse {
            false => write.0 <= key,
            true => write.0 >= key,
        };
        while self.wants_more
            && let Some((written, change)) = self.writes.next_if(is_due)
        {
            self.show(written, change);
            if written == key {
                return self.wants_more;
            }
        }
        if self.wants_more {
            self.show(key, value);
        }
        self.wants_more
    }

    /// Takes the writes after the last committed entry.
    pub(super) fn finish(mut self) {
        while self.wants_more
            && let Some((written, change)) = self.writes.next()
        {
            self.show(written, change);
        }
    }

    fn show(&mut self, key: &[u8], value: Option<&[u8]>) {
        if let Some(value) = value {
            self.wants_more = (self.show)(key, value);
        }
    }
}
