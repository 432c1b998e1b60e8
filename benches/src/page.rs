//! The page that shows the tables of reports between words of people.

use crate::Result;
use crate::report::Report;

/// The page with the tables of a report in the place of those that it has: between
/// `<!-- suite: tables -->` and `<!-- suite: end -->`. Without such a place it stays as it is.
///
/// # Errors
///
/// If a place begins and does not end.
pub(crate) fn show(page: &str, report: &Report) -> Result<String> {
    let suite = &report.suite;
    let (begin, end) = (
        format!("<!-- {suite}: tables -->\n"),
        format!("<!-- {suite}: end -->"),
    );
    let Some((before, rest)) = page.split_once(&begin) else {
        return Ok(page.to_owned());
    };
    let after = rest.split_once(&end).map(|(_, after)| after);
    let after = after.ok_or_else(|| format!("`{}` is not followed by `{end}`", begin.trim()))?;
    let tables = report.tables.iter().map(|table| {
        let drawing = table.drawing(suite);
        let drawing = drawing.map(|file| format!("\n![{}]({file})\n", table.title));
        format!("\n{}{}", table.to_markdown(), drawing.unwrap_or_default())
    });
    let tables: String = tables.collect();
    Ok(format!("{before}{begin}{tables}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Environment;
    use crate::report::{Contender, Figure, Role, Run, Table};

    fn report(value: f64) -> Report {
        let run = Run::from([(String::from("records/s"), value)]);
        let contender = |name: &str, role| Contender {
            name: name.to_owned(),
            role,
            runs: vec![run.clone()],
        };
        let table = Table {
            name: String::from("count"),
            title: String::from("Count"),
            setting: String::from("1 thread"),
            environment: Environment::default(),
            figures: vec![Figure::more("records/s")],
            contenders: vec![contender("ours", Role::Ours), contender("JVM", Role::Peer)],
            summary: Vec::new(),
            failures: Vec::new(),
        };
        Report {
            suite: String::from("streams"),
            tables: vec![table],
        }
    }

    #[test]
    fn tables_take_the_place_of_those_before_and_words_stay() {
        let page = "Words.\n<!-- streams: tables -->\n<!-- streams: end -->\nMore words.\n";
        let first = show(page, &report(1.0)).unwrap();
        let second = show(&first, &report(2.0)).unwrap();
        assert!(second.starts_with("Words.\n<!-- streams: tables -->\n\n## Count\n"));
        assert!(second.contains("| records/s | 2.00 | 2.00, **1.0×** |"));
        assert!(!second.contains("1.00"));
        let end = "\n![Count](streams-count.svg)\n\n<!-- streams: end -->\nMore words.\n";
        assert!(second.ends_with(end), "{second}");
    }

    #[test]
    fn other_pages_stay_and_places_without_end_are_refused() {
        assert_eq!(show("Words.", &report(1.0)).unwrap(), "Words.");
        let page = "<!-- streams: tables -->\nWords.";
        let error = show(page, &report(1.0)).unwrap_err().to_string();
        assert!(error.contains("<!-- streams: end -->"), "{error}");
    }
}
