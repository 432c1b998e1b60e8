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
    seen.committed(entries.iter().map(|entry| (&entry[..], None)), parts_of);
}

#[test]
fn what_was_committed_before_may_be_there() {
    let seen = SeenKeys::new(100);
    let key = 1u64.to_be_bytes();
    assert!(seen.may_hold(&key, 100, 200));
    assert!(!seen.may_hold(&key, 101, 200));
}

#[test]
fn a_key_is_found_in_its_time_and_most_others_are_not() {
    let mut seen = SeenKeys::new(-1);
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
    let mut seen = SeenKeys::new(-1);
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
    let mut seen = SeenKeys::new(-1);
    commit(
        &mut seen,
        &[entry(1, 50_000), entry(2, 7), entry(3, 60_000)],
    );
    assert!(seen.may_hold(&2u64.to_be_bytes(), 7, 7));
    assert!(seen.may_hold(&2u64.to_be_bytes(), 0, 10));
    assert!(!seen.may_hold(&2u64.to_be_bytes(), 0, 6));
}
