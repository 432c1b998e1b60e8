//! The comparison must be able to fail.

use super::*;

const COUNT: usize = 20_000;

/// Compares the events that `change` leaves with what the workload `count` must give.
fn compare(change: impl Fn(&mut Vec<(String, String)>)) -> Result<()> {
    let mut counts: HashMap<String, i64> = HashMap::new();
    let mut output: Vec<(String, String)> = input::events(COUNT)
        .map(|event| {
            let count = counts.entry(event.key.clone()).or_default();
            *count += 1;
            (event.key, count.to_string())
        })
        .collect();
    change(&mut output);
    let expected = Expected::of(Workload::Count, COUNT);
    let mut seen = expected.seen();
    for (key, value) in output {
        seen.push(key.as_bytes(), value.as_bytes());
    }
    seen.compare()
}

/// Spoils a result.
type Change = fn(&mut Vec<(String, String)>);

#[test]
fn right_output_passes() {
    compare(|_| {}).unwrap();
}

#[test]
fn lost_doubled_wrong_and_strange_records_are_noticed() {
    let changes: [Change; 4] = [
        |output| drop(output.pop()),
        |output| output.push(output[7].clone()),
        |output| output[9].1 = String::from("12345"),
        |output| output.push((String::from("nobody"), String::from("1"))),
    ];
    for change in changes {
        assert!(compare(change).is_err());
    }
}

#[test]
fn every_event_is_expected_once_and_joins_have_both_kinds() {
    let len = |workload| Expected::of(workload, COUNT).len();
    let stateless = len(Workload::Stateless);
    assert_eq!(stateless + Expected::rejected(COUNT).len(), COUNT);
    assert!(stateless < COUNT);
    assert_eq!(len(Workload::Count), COUNT);
    assert_eq!(len(Workload::Windowed), COUNT);
    assert_eq!(len(Workload::Join), COUNT);
    let pairs = len(Workload::StreamJoin);
    assert!(pairs > COUNT / 2 && pairs < 2 * COUNT, "{pairs}");
}

#[test]
fn counts_go_on_from_what_was_restored() {
    let expected = Expected::counted_on([3, 3].into_iter());
    let before = input::count_before(3);
    let mut seen = expected.seen();
    for count in [before + 1, before + 2] {
        seen.push(b"user-3", count.to_string().as_bytes());
    }
    seen.compare().unwrap();
}
