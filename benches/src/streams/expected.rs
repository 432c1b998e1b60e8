//! What must come out of a workload, computed from the input and from nothing else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use super::input::{self, Event};
use crate::{Result, Workload};

const WINDOW_MS: i64 = 60_000;
const JOIN_DIFFERENCE_MS: i64 = 5_000;

/// For each key the values that must come out.
///
/// Values are kept as hashes: there are many, and only whether they are the same is asked.
pub(super) struct Expected {
    indices: HashMap<Vec<u8>, usize>,
    values: Vec<Vec<u64>>,
    /// Whether the values of one key have an order.
    ordered: bool,
}

/// What has come out so far.
pub(super) struct Seen<'a> {
    expected: &'a Expected,
    values: Vec<Vec<u64>>,
    stranger: Option<String>,
}

impl Expected {
    fn new(ordered: bool) -> Self {
        Self {
            indices: HashMap::new(),
            values: Vec::new(),
            ordered,
        }
    }

    /// The outputs of a workload; what it rejects is another topic's.
    pub(super) fn of(workload: Workload, count: usize) -> Self {
        match workload {
            Workload::Stateless => stateless(count, true),
            Workload::Windowed => windowed(count),
            Workload::Join => join(count),
            Workload::StreamJoin => stream_join(count),
            Workload::Count | Workload::Restore | Workload::Recovery => {
                counted(input::events(count).map(|event| event.key), |_| 0)
            }
            Workload::Idle => Self::new(true),
        }
    }

    /// What the workload `stateless` rejects.
    pub(super) fn rejected(count: usize) -> Self {
        stateless(count, false)
    }

    /// The counts of `ids` over a store that had counts before.
    pub(super) fn counted_on(ids: impl Iterator<Item = u32>) -> Self {
        let mut before = HashMap::new();
        let keys: Vec<String> = ids
            .map(|id| {
                let key = input::key(id);
                before.insert(key.clone(), input::count_before(id));
                key
            })
            .collect();
        counted(keys.into_iter(), |key| {
            before.get(key).copied().unwrap_or(0)
        })
    }

    /// How many records must come out.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }

    /// Begins a comparison.
    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            expected: self,
            values: vec![Vec::new(); self.values.len()],
            stranger: None,
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        let index = match self.indices.get(key) {
            Some(index) => *index,
            None => {
                let index = self.values.len();
                self.indices.insert(key.to_vec(), index);
                self.values.push(Vec::new());
                index
            }
        };
        if let Some(values) = self.values.get_mut(index) {
            values.push(hash(value));
        }
    }
}

impl Seen<'_> {
    /// Takes a record, in the order of its partition.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let index = self.expected.indices.get(key);
        match index.and_then(|index| self.values.get_mut(*index)) {
            Some(values) => values.push(hash(value)),
            None => {
                let key = || String::from_utf8_lossy(key).into_owned();
                self.stranger.get_or_insert_with(key);
            }
        }
    }

    /// Fails at the first key whose values are not those that must come out.
    pub(super) fn compare(mut self) -> Result<()> {
        if let Some(key) = self.stranger {
            return Err(format!("key={key} came out and should not").into());
        }
        for (key, index) in &self.expected.indices {
            let wanted = self
                .expected
                .values
                .get(*index)
                .map_or(&[][..], Vec::as_slice);
            let seen = self
                .values
                .get_mut(*index)
                .map(std::mem::take)
                .unwrap_or_default();
            let same = if self.expected.ordered {
                seen == wanted
            } else {
                sorted(&seen) == sorted(wanted)
            };
            if !same {
                let at = seen
                    .iter()
                    .zip(wanted)
                    .take_while(|(one, other)| one == other)
                    .count();
                return Err(format!(
                    "key={} came out {} times and should {} times; the first difference is at {at}",
                    String::from_utf8_lossy(key),
                    seen.len(),
                    wanted.len(),
                )
                .into());
            }
        }
        Ok(())
    }
}

fn hash(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value);
    hasher.finish()
}

fn sorted(values: &[u64]) -> Vec<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}

fn stateless(count: usize, good: bool) -> Expected {
    let mut expected = Expected::new(true);
    for Event { key, value, .. } in input::events(count) {
        let tags = match value.get(..9) {
            Some(b"{\"op\":\"c\"") => Some(("created", "create")),
            Some(b"{\"op\":\"u\"") => Some(("updated", "update")),
            Some(b"{\"op\":\"d\"") => Some(("deleted", "delete")),
            _ => None,
        };
        match tags {
            Some((event, kind)) if good => {
                let fields = format!(
                    "\"event_type\":\"{event}\",\"processed_at\":1700000000000,\"kind\":\"{kind}\""
                );
                expected.push(key.as_bytes(), &with_field(&value, fields.as_bytes()));
            }
            None if !good => expected.push(key.as_bytes(), &value),
            _ => {}
        }
    }
    expected
}

fn counted(keys: impl Iterator<Item = String>, before: impl Fn(&str) -> i64) -> Expected {
    let mut expected = Expected::new(true);
    let mut counts: HashMap<String, i64> = HashMap::new();
    for key in keys {
        let start = before(&key);
        let count = counts.entry(key.clone()).or_insert(start);
        *count += 1;
        expected.push(key.as_bytes(), count.to_string().as_bytes());
    }
    expected
}

fn windowed(count: usize) -> Expected {
    let windowed = input::events(count).map(|event| {
        let start = event.timestamp_ms / WINDOW_MS * WINDOW_MS;
        format!("{}@{start}", event.key)
    });
    counted(windowed, |_| 0)
}

fn join(count: usize) -> Expected {
    let mut expected = Expected::new(true);
    let profiles: HashMap<String, Vec<u8>> = input::profiles()
        .map(|event| (event.key, event.value))
        .collect();
    for Event { key, value, .. } in input::events(count) {
        let profile = profiles.get(&key).map_or(&b"null"[..], Vec::as_slice);
        let field = [b"\"profile\":", profile].concat();
        expected.push(key.as_bytes(), &with_field(&value, &field));
    }
    expected
}

fn stream_join(count: usize) -> Expected {
    // A pair comes out when its second half is processed; two pairs of one key at the same time
    // have no order.
    let mut expected = Expected::new(false);
    let mut left: HashMap<String, Vec<(i64, Vec<u8>)>> = HashMap::new();
    for Event {
        key,
        value,
        timestamp_ms,
    } in input::events(count)
    {
        left.entry(key).or_default().push((timestamp_ms, value));
    }
    for Event {
        key,
        value,
        timestamp_ms,
    } in input::orders(count)
    {
        for (other_ms, other) in left.get(&key).into_iter().flatten() {
            if (timestamp_ms - other_ms).abs() <= JOIN_DIFFERENCE_MS {
                let pair = [
                    b"{\"left\":",
                    other.as_slice(),
                    b",\"right\":",
                    &value,
                    b"}",
                ]
                .concat();
                expected.push(key.as_bytes(), &pair);
            }
        }
    }
    expected
}

/// A JSON object with one more field at its end.
fn with_field(object: &[u8], field: &[u8]) -> Vec<u8> {
    let open = object.strip_suffix(b"}").unwrap_or(object);
    [open, b",", field, b"}"].concat()
}

#[cfg(test)]
#[path = "expected_test.rs"]
mod tests;
