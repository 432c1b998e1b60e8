use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A key is a number, and its time stands behind it.
fn parts_of(key: &[u8]) -> Option<(&[u8], i64)> {
    let (key, time) = key.split_at_checked(8)?;
    Some((key, i64::from_be_bytes(time.try_into().ok()?)))
}

fn entry(key: u64, time_ms: i64) -> [u8; 16] {
    let mut entry = [0; 16];
    entry[..8].copy_from_slice(&key.to_be_bytes());
    entry[8..].copy_from_slice(&time_ms.to_be_bytes());
    entry
}

fn commit(seen: &mut SeenKeys, entries: &[[u8; 16]]) {
    seen.committed(entries.iter().map(|entry| (&entry[..], None)));
}

#[test]
fn what_was_committed_before_may_be_there() {
    let seen = SeenKeys::new(100, parts_of);
    let key = 1u64.to_be_bytes();
    assert!(seen.may_hold(&key, 100, 200));
    assert!(!seen.may_hold(&key, 101, 200));
}

#[test]
fn a_key_is_found_in_its_time_and_most_others_are_not() {
    let mut seen = SeenKeys::new(-1, parts_of);
    let times = 0..5_000;
    let entries: Vec<_> = times
        .clone()
        .map(|time| entry(time as u64 * 2, time))
        .collect();
    entries.chunks(700).for_each(|part| commit(&mut seen, part));
    for time in times.clone() {
        assert!(seen.may_hold(&(time as u64 * 2).to_be_bytes(), time, time));
    }
    let wrong = times.filter(|time| seen.may_hold(&(*time as u64 * 2 + 1).to_be_bytes(), 0, 9_999));
    let wrong = wrong.count();
    assert!(wrong < 150, "{wrong} of 5000 keys are taken for others");
    assert!(!seen.may_hold(&0u64.to_be_bytes(), 5_000, 9_999));
}

#[test]
fn what_the_oldest_filter_held_may_be_there_once_it_is_gone() {
    let mut seen = SeenKeys::new(-1, parts_of);
    let count = FILTER_KEYS_MAX as u64 * (FILTERS_MAX as u64 + 3);
    for key in 0..count {
        commit(&mut seen, &[entry(key, key as i64)]);
    }
    assert_eq!(seen.filters.len(), FILTERS_MAX);
    let is_there = |key: u64| seen.may_hold(&key.to_be_bytes(), key as i64, key as i64);
    assert!((0..count).all(is_there));
    // Nothing is known of the first ones, but of those in the filters.
    let unknown = u64::try_from(seen.unknown_until_ms).unwrap();
    assert!(seen.may_hold(&count.to_be_bytes(), unknown as i64, count as i64));
    assert!((FILTER_KEYS_MAX as u64..count / 2).contains(&unknown));
}

#[test]
fn an_entry_older_than_those_around_it_is_found() {
    let mut seen = SeenKeys::new(-1, parts_of);
    commit(
        &mut seen,
        &[entry(1, 50_000), entry(2, 7), entry(3, 60_000)],
    );
    assert!(seen.may_hold(&2u64.to_be_bytes(), 7, 7));
    assert!(seen.may_hold(&2u64.to_be_bytes(), 0, 10));
    assert!(!seen.may_hold(&2u64.to_be_bytes(), 0, 6));
}

/// Entries of a few keys whose times go on, among them late ones and such that are far ahead.
fn commits() -> impl Strategy<Value = Vec<Vec<(u64, i64)>>> {
    let ahead_ms = prop_oneof![6 => 0_i64..20, 2 => -500_i64..0, 1 => 0_i64..5_000];
    let commits = vec(vec((0_u64..40, ahead_ms), 1..12), 1..30);
    commits.prop_map(|mut commits| {
        for (now_ms, commit) in (0..).step_by(10).zip(&mut commits) {
            for (_, time_ms) in commit {
                *time_ms += now_ms;
            }
        }
        commits
    })
}

proptest! {
    #[test]
    fn nothing_that_is_there_is_denied(
        (filters_max, filter_keys_max) in (1_usize..5, 1_usize..8),
        committed_ms in -1_i64..100,
        commits in commits(),
        (before_ms, after_ms) in (0_i64..50, 0_i64..50),
    ) {
        let new = SeenKeys::new(committed_ms, parts_of);
        let mut seen = SeenKeys { filters_max, filter_keys_max, ..new };
        // Of what was there before only the time is known.
        let mut there: Vec<_> = (0..40).map(|key| (key, committed_ms)).collect();
        for committed in commits {
            let entries: Vec<_> = committed.iter().map(|(key, time)| entry(*key, *time)).collect();
            commit(&mut seen, &entries);
            there.extend(committed);
            prop_assert!(seen.filters.len() <= filters_max);
            for (key, time_ms) in &there {
                let (from_ms, to_ms) = (time_ms - before_ms, time_ms + after_ms);
                let key = key.to_be_bytes();
                prop_assert!(seen.may_hold(&key, *time_ms, *time_ms));
                prop_assert!(seen.may_hold(&key, from_ms, to_ms));
                prop_assert!(seen.may_hold(&key, *time_ms, i64::MAX));
            }
        }
    }
}
