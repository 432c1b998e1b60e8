//! Iterators over a store.

use std::collections::VecDeque;
use std::ops::Bound;

use crate::error::Result;
use crate::store::engine::{Entry, Span};

/// A part of a store, with its own bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnedSpan {
    pub(super) lower: Bound<Box<[u8]>>,
    pub(super) upper: Bound<Box<[u8]>>,
}

impl OwnedSpan {
    /// Everything.
    pub(super) const ALL: Self = Self {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };

    /// From one key to another, both included.
    pub(super) fn inclusive(lower: &[u8], upper: &[u8]) -> Self {
        Self {
            lower: Bound::Included(Box::from(lower)),
            upper: Bound::Included(Box::from(upper)),
        }
    }

    /// All keys that begin with these bytes.
    pub(super) fn prefix(prefix: &[u8]) -> Self {
        Self {
            lower: Bound::Included(Box::from(prefix)),
            upper: after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded),
        }
    }

    pub(super) fn borrowed(&self, is_reverse: bool) -> Span<'_> {
        Span {
            lower: self.lower.as_ref().map(|key| &**key),
            upper: self.upper.as_ref().map(|key| &**key),
            is_reverse,
        }
    }
}

/// The first key after all that begin with `prefix`; `None` if there is none.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Box<[u8]>> {
    let mut bytes = prefix.to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes.into_boxed_slice());
        }
    }
    None
}

type Fetch<'a> = Box<dyn Fn(Span<'_>, usize) -> Result<Vec<Entry>> + 'a>;
type Decode<'a, T> = Box<dyn Fn(&[u8], &[u8]) -> Result<Option<T>> + 'a>;

/// The entries of a store, or of a part of it, read a few at a time.
///
/// The store may be written meanwhile; what is written behind the iterator's place is not seen.
pub struct StoreIterator<'a, T> {
    fetch: Fetch<'a>,
    /// Gives `None` for entries that the spans hold but the caller has not asked for.
    decode: Decode<'a, T>,
    spans: VecDeque<OwnedSpan>,
    is_reverse: bool,
    chunk: VecDeque<Entry>,
    chunk_length: usize,
}

const CHUNK_LENGTH_MIN: usize = 16;
const CHUNK_LENGTH_MAX: usize = 512;

impl<'a, T> StoreIterator<'a, T> {
    pub(super) fn new(
        spans: impl IntoIterator<Item = OwnedSpan>,
        is_reverse: bool,
        fetch: impl Fn(Span<'_>, usize) -> Result<Vec<Entry>> + 'a,
        decode: impl Fn(&[u8], &[u8]) -> Result<Option<T>> + 'a,
    ) -> Self {
        Self {
            fetch: Box::new(fetch),
            decode: Box::new(decode),
            spans: spans.into_iter().collect(),
            is_reverse,
            chunk: VecDeque::new(),
            chunk_length: CHUNK_LENGTH_MIN,
        }
    }

    /// Reads the next chunk of the first span, and moves the span's bound behind it.
    fn fill(&mut self) -> Result<bool> {
        while let Some(span) = self.spans.front_mut() {
            let chunk = (self.fetch)(span.borrowed(self.is_reverse), self.chunk_length)?;
            let is_last = chunk.len() < self.chunk_length;
            match chunk.last() {
                Some((last, _)) if !is_last => {
                    let bound = Bound::Excluded(last.clone());
                    if self.is_reverse {
                        span.upper = bound;
                    } else {
                        span.lower = bound;
                    }
                }
                _ => {
                    self.spans.pop_front();
                }
            }
            self.chunk_length = (self.chunk_length * 2).min(CHUNK_LENGTH_MAX);
            if !chunk.is_empty() {
                self.chunk = chunk.into();
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<T> Iterator for StoreIterator<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some((key, value)) = self.chunk.pop_front() {
                match (self.decode)(&key, &value) {
                    Ok(None) => {}
                    Ok(Some(entry)) => return Some(Ok(entry)),
                    Err(error) => return Some(Err(error)),
                }
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.spans.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
