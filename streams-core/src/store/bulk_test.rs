use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Entry = (Vec<u8>, Option<Vec<u8>>);

fn owned((key, value): (&[u8], Option<&[u8]>)) -> Entry {
    (key.to_vec(), value.map(<[u8]>::to_vec))
}

/// Few bytes, so that keys are the same, begin with one another and differ behind the eighth byte.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(1), Just(255)], 0..11)
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    vec((key(), proptest::option::of(vec(any::<u8>(), 0..3))), 0..60)
}

proptest! {
    #[test]
    fn sorted_has_the_last_write_of_each_key(first in entries(), second in entries()) {
        let mut writes = BulkWrites::default();
        // The memory is used again, and nothing that was in it is seen.
        for entries in [first, second] {
            writes.clear();
            for (key, value) in &entries {
                writes.add(key, value.as_deref());
            }
            let came: Vec<Entry> = writes.iter().map(owned).collect();
            prop_assert_eq!(&came, &entries);
            let last: BTreeMap<Vec<u8>, Option<Vec<u8>>> = entries.into_iter().collect();
            let sorted: Vec<Entry> = writes.sorted().map(owned).collect();
            let last: Vec<Entry> = last.into_iter().collect();
            prop_assert_eq!(sorted, last);
        }
    }
}
