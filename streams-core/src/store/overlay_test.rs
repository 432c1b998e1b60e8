use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn overlay(bytes_max: usize) -> Overlay {
    Overlay::new(Some(Arc::new(RecentMemory::new(bytes_max))))
}

fn commit(overlay: &mut Overlay, writes: &[(&[u8], Option<&[u8]>)]) {
    for (key, value) in writes {
        overlay.put(key, *value);
    }
    overlay.committed();
    assert!(overlay.is_empty());
    assert_eq!(overlay.bytes(), 0);
}

#[test]
fn what_is_committed_is_known_once_anything_is_read() {
    let mut overlay = overlay(1 << 20);
    commit(&mut overlay, &[(b"a", Some(b"1"))]);
    assert_eq!(overlay.get(b"a"), Found::Untouched);
    commit(&mut overlay, &[(b"a", Some(b"2")), (b"b", None)]);
    assert_eq!(overlay.get(b"a"), Found::Written(Some(b"2")));
    assert_eq!(overlay.get(b"b"), Found::Written(None));
    assert_eq!(overlay.get(b"c"), Found::Untouched);
    assert!(!overlay.is_written(b"a"));
    assert_eq!(overlay.writes().count(), 0);
}

#[test]
fn recent_entries_are_no_writes_in_a_range() {
    let mut overlay = overlay(1 << 20);
    overlay.get(b"a");
    commit(&mut overlay, &[(b"a", Some(b"1")), (b"b", Some(b"1"))]);
    overlay.note_read(b"c", b"1");
    overlay.order();
    overlay.put(b"b", Some(b"2"));
    let span = Span {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
        is_reverse: false,
    };
    let writes: Vec<_> = overlay.range(span).collect();
    assert_eq!(writes, [(&b"b"[..], Some(&b"2"[..]))]);
    assert_eq!(overlay.sorted_writes().collect::<Vec<_>>(), writes);
}

#[test]
fn a_deleted_range_is_forgotten_but_for_what_was_written_after() {
    let mut overlay = overlay(1 << 20);
    overlay.get(b"a");
    commit(&mut overlay, &[(b"a", Some(b"1")), (b"b", Some(b"1"))]);
    overlay.note_read(b"d", b"1");
    overlay.put(b"bb", Some(b"1"));
    overlay.delete_range(b"a", b"c");
    assert_eq!(overlay.len(), 0);
    assert_eq!(overlay.get(b"a"), Found::Written(None));
    assert_eq!(overlay.get(b"bb"), Found::Written(None));
    overlay.put(b"b", Some(b"2"));
    assert_eq!(overlay.get(b"b"), Found::Written(Some(b"2")));
    overlay.committed();
    assert_eq!(overlay.get(b"a"), Found::Untouched);
    assert_eq!(overlay.get(b"b"), Found::Written(Some(b"2")));
    assert_eq!(overlay.get(b"d"), Found::Written(Some(b"1")));
}

#[test]
fn what_is_used_stays_within_the_bound_and_the_rest_goes() {
    let memory = Arc::new(RecentMemory::new(20 * (ENTRY_OVERHEAD_BYTES + 3)));
    let mut overlay = Overlay::new(Some(Arc::clone(&memory)));
    overlay.get(b"a");
    for number in 0..1_000_u16 {
        overlay.note_read(&number.to_be_bytes(), b"x");
        if number == 0 {
            overlay.note_read(b"hh", b"x");
        }
        assert!(overlay.recent_bytes <= 20 * (ENTRY_OVERHEAD_BYTES + 3));
        assert_ne!(overlay.get(b"hh"), Found::Untouched);
    }
    assert_eq!(overlay.get(&1_u16.to_be_bytes()), Found::Untouched);
    let mut other = Overlay::new(Some(Arc::clone(&memory)));
    assert_eq!(memory.part(), 20 * (ENTRY_OVERHEAD_BYTES + 3));
    other.get(b"a");
    assert_eq!(memory.part(), 10 * (ENTRY_OVERHEAD_BYTES + 3));
    drop(other);
    assert_eq!(memory.part(), 20 * (ENTRY_OVERHEAD_BYTES + 3));
}

#[test]
fn writes_are_never_forgotten() {
    let mut overlay = overlay(0);
    for number in 0..100_u8 {
        overlay.put(&[number], Some(b"x"));
        overlay.note_read(&[number, 0], b"x");
    }
    assert_eq!(overlay.len(), 100);
    assert_eq!(overlay.recent_bytes, 0);
    assert_eq!(overlay.sorted_writes().count(), 100);
    assert!(overlay.sorted_writes().map(|(key, _)| key).is_sorted());
}

#[test]
fn writes_are_sorted_whatever_their_lengths() {
    let keys: [&[u8]; 9] = [
        b"user-1",
        b"user-10",
        b"user-2",
        b"user-",
        b"user-123456789",
        b"user-123456788",
        b"user-1\0",
        b"user-12345678",
        b"user-12345678\0",
    ];
    let mut overlay = overlay(0);
    for key in keys {
        overlay.put(key, Some(b""));
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    let writes: Vec<&[u8]> = overlay.sorted_writes().map(|(key, _)| key).collect();
    assert_eq!(writes, sorted);
}

#[test]
fn deleting_ranges_leaves_the_other_writes() {
    for is_ordered in [false, true] {
        let mut overlay = overlay(1 << 20);
        if is_ordered {
            overlay.order();
        }
        for number in 0..100_u8 {
            overlay.put(&[number], Some(b"x"));
        }
        overlay.delete_range(&[10], &[20]);
        overlay.put(&[15], Some(b"y"));
        overlay.delete_range(&[90], &[95]);
        overlay.delete_range(&[0], &[1]);
        let keys: Vec<u8> = overlay.sorted_writes().map(|(key, _)| key[0]).collect();
        let kept = (1..10).chain([15]).chain(20..90).chain(95..100);
        assert_eq!(keys, kept.collect::<Vec<u8>>());
        assert_eq!(overlay.bytes(), keys.len() * (2 + ENTRY_OVERHEAD_BYTES));
    }
}

#[test]
fn a_large_value_does_not_take_the_place_of_others() {
    let mut overlay = overlay(20 * (ENTRY_OVERHEAD_BYTES + 2));
    overlay.get(b"a");
    overlay.note_read(b"a", b"1");
    overlay.note_read(b"b", &[0; 10 * ENTRY_OVERHEAD_BYTES]);
    assert_ne!(overlay.get(b"a"), Found::Untouched);
    assert_eq!(overlay.get(b"b"), Found::Untouched);
}

#[test]
fn times_are_known_until_something_as_young_is_forgotten() {
    let memory = Arc::new(RecentMemory::new(10 * (ENTRY_OVERHEAD_BYTES + 2)));
    let mut overlay = Overlay::new(Some(memory));
    overlay.note_times(|key| i64::from(key[0]), 5);
    assert!(!overlay.knows_time(5));
    assert!(overlay.knows_time(6));
    overlay.get(b"a");
    for time in 6..16_u8 {
        commit(&mut overlay, &[(&[time], Some(b"x"))]);
    }
    assert!(overlay.knows_time(6));
    for time in 16..60_u8 {
        commit(&mut overlay, &[(&[time], Some(b"x"))]);
        let lost = (6..=time).filter(|time| overlay.get(&[*time]) == Found::Untouched);
        let lost: Vec<u8> = lost.collect();
        let known = (6..=time).filter(|time| overlay.knows_time(i64::from(*time)));
        assert!(
            lost.iter()
                .all(|lost| known.clone().all(|known| known > *lost))
        );
        assert!(!lost.is_empty());
    }
}

#[test]
fn nothing_is_known_of_times_where_nothing_is_kept() {
    let mut unread = overlay(1 << 20);
    unread.note_times(|key| i64::from(key[0]), -1);
    assert!(unread.knows_time(0));
    commit(&mut unread, &[(&[7], Some(b"x"))]);
    assert!(!unread.knows_time(100));
    let mut in_memory = Overlay::new(None);
    in_memory.note_times(|key| i64::from(key[0]), -1);
    assert!(!in_memory.knows_time(0));
}

#[test]
fn room_of_a_large_commit_is_given_back_with_its_entries() {
    let mut overlay = overlay(1 << 12);
    overlay.get(b"a");
    for key in 0..200_000_u32 {
        overlay.put(&key.to_be_bytes(), Some(b"1"));
    }
    overlay.committed();
    assert!(
        overlay.table.numbers_end() < 1_000,
        "{}",
        overlay.table.numbers_end()
    );
    commit(&mut overlay, &[(b"new", Some(b"1"))]);
    let known: Vec<u32> = (0..200_000)
        .filter(|key: &u32| overlay.get(&key.to_be_bytes()) != Found::Untouched)
        .collect();
    assert!(!known.is_empty() && known.len() < 1_000, "{}", known.len());
    assert_eq!(overlay.get(b"new"), Found::Written(Some(b"1")));
}

#[test]
fn a_range_before_all_writes_leaves_them_in_no_order() {
    let mut overlay = overlay(0);
    let key =
        |segment: u64, number: u16| [&segment.to_be_bytes()[..], &number.to_be_bytes()].concat();
    for number in 0..2_000 {
        overlay.put(&key(3, number), Some(b"x"));
    }
    overlay.delete_range(&key(1, 0)[..8], &key(2, 0)[..8]);
    overlay.delete_range(&key(2, 0)[..8], &key(3, 0)[..8]);
    assert!(overlay.ordered.is_none());
    assert_eq!(overlay.len(), 2_000);
    assert!(overlay.is_deleted(&key(1, 7)));
    overlay.delete_range(&key(2, 0)[..8], &key(3, 1));
    assert_eq!(overlay.len(), 1_999);
    overlay.committed();
    // The next commit's writes are before those of the last one.
    overlay.put(&key(1, 0), Some(b"x"));
    overlay.delete_range(&key(1, 0)[..8], &key(2, 0)[..8]);
    assert_eq!(overlay.len(), 0);
    // A short key is before a range's end that it is the beginning of.
    overlay.put(&[0; 4], Some(b"x"));
    overlay.delete_range(&[], &[0; 8]);
    assert_eq!(overlay.len(), 0);
}

/// Keys are of all their bytes but the last, which is their time.
fn parts_of(key: &[u8]) -> Option<(&[u8], i64)> {
    let (time, part) = key.split_last()?;
    Some((part, i64::from(*time)))
}

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<u8>, Option<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
    Find(Vec<u8>, (Vec<u8>, bool), (Vec<u8>, bool)),
    Commit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || vec(0_u8..4, 0..4);
    let bound = move || (key(), any::<bool>());
    let step = prop_oneof![
        8 => (key(), any::<Option<u8>>()).prop_map(|(key, value)| Step::Put(key, value)),
        6 => (key(), bound(), bound()).prop_map(|(key, from, to)| Step::Find(key, from, to)),
        1 => (key(), key()).prop_map(|(from, to)| Step::DeleteRange(from, to)),
        1 => Just(Step::Commit),
    ];
    vec(step, 1..60)
}

proptest! {
    #[test]
    fn the_writes_of_a_key_are_those_of_the_span_that_are_of_it(
        recent_bytes in prop_oneof![Just(1 << 20), 0_usize..400],
        steps in steps(),
    ) {
        let mut overlay = overlay(recent_bytes);
        overlay.get(b"");
        overlay.note_parts(parts_of);
        let mut writes = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    let value = value.map(|value| vec![value]);
                    overlay.put(&key, value.as_deref());
                    writes.insert(key, value);
                }
                Step::DeleteRange(from, to) => {
                    overlay.delete_range(&from, &to);
                    writes.retain(|key, _| *key < from || to <= *key);
                }
                Step::Commit => {
                    overlay.committed();
                    writes.clear();
                }
                Step::Find(part, lower, upper) => {
                    let bound = |(key, is_excluded): &(Vec<u8>, bool)| match is_excluded {
                        true => Bound::Excluded(key.clone()),
                        false => Bound::Included(key.clone()),
                    };
                    let bounds = (bound(&lower), bound(&upper));
                    let span = Span {
                        lower: bounds.0.as_ref().map(|key| &key[..]),
                        upper: bounds.1.as_ref().map(|key| &key[..]),
                        is_reverse: false,
                    };
                    prop_assert!(overlay.find_writes(&part, span));
                    let is_it = |key: &Vec<u8>| {
                        bounds.contains(key) && parts_of(key).is_some_and(|(of, _)| of == part)
                    };
                    let expected = writes.iter().filter(|(key, _)| is_it(key));
                    let expected = expected.map(|(key, value)| (&key[..], value.as_deref()));
                    // Some of other keys may be among them.
                    let found = overlay.found_writes();
                    let found = found.filter(|(key, _)| is_it(&key.to_vec()));
                    prop_assert!(found.eq(expected));
                    prop_assert!(overlay.found_writes().is_sorted());
                }
            }
        }
    }
}
