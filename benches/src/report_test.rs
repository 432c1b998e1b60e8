//! A table of three contenders, by hand.

use super::*;

fn contender(name: &str, role: Role, values: &[f64]) -> Contender {
    let run = |value: &f64| Run::from([(String::from("records/s"), *value)]);
    Contender {
        name: name.to_owned(),
        role,
        runs: values.iter().map(run).collect(),
    }
}

fn table() -> Table {
    Table {
        name: String::from("count"),
        title: String::from("Count"),
        setting: String::from("1 thread"),
        environment: Environment::default(),
        figures: vec![Figure::more("records/s")],
        contenders: vec![
            contender("ours", Role::Ours, &[4000.0, 2000.0, 3000.0]),
            contender("JVM", Role::Peer, &[500.0, 700.0]),
            contender("loop", Role::Limit, &[6000.0]),
        ],
        summary: Vec::new(),
        failures: Vec::new(),
    }
}

#[test]
fn row_has_medians_with_extremes_and_how_ours_compares() {
    let text = table().to_markdown();
    let row = "| records/s | 3,000 (2,000–4,000) | 600 (500–700), **5.0×** \
               | 6,000, ours 0.50× |";
    assert_eq!(text.lines().last(), Some(row));
}

#[test]
fn less_is_better_turns_the_comparison_round() {
    assert!((Figure::less("CPU").advantage(2.0, 10.0) - 5.0).abs() < 1e-9);
    assert!((Figure::more("records/s").advantage(10.0, 2.0) - 5.0).abs() < 1e-9);
}

#[test]
fn numbers_have_three_figures_and_commas() {
    let all = [0.126, 9.874, 12.34, 123.4, 1234.5, 1_234_567.8, -1234.0];
    let text = all.map(number).join(" ");
    assert_eq!(text, "0.13 9.87 12.3 123 1,234 1,234,568 -1,234");
}

#[test]
fn report_that_is_written_is_read_again_and_its_tables_are_replaced_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("streams.json");
    let mut report = Report::read(&path, "streams").unwrap();
    report.replace(table());
    report.replace(table());
    report.write(folder.path()).unwrap();
    let again = Report::read(&path, "streams").unwrap();
    assert_eq!(again.tables.len(), 1);
    let ours = again.tables[0].spread(Role::Ours, &Figure::more("records/s"));
    assert_eq!(ours.map(|spread| spread.median), Some(3000.0));
    let ratio = again.tables[0].summary[0].ratio_to_peer.unwrap();
    assert!((ratio - 5.0).abs() < 1e-9);
    let drawing = std::fs::read_to_string(folder.path().join("streams-count.svg")).unwrap();
    assert!(drawing.contains("5.0×"), "{drawing}");
}
