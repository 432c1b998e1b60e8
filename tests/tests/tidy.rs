//! The house rules that a machine can check. Each test names the rule; the message names the place.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// The longest line, in characters.
const LINE_CHARS_MAX: usize = 100;
/// The longest file, in lines.
const FILE_LINES_MAX: usize = 700;
/// The longest function, in lines.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn lines_are_at_most_100_characters() {
    // A row of a table in a comment cannot be broken.
    let table = |line: &str| ["//! |", "/// |"].iter().any(|row| line.starts_with(row));
    // A message or an expected text is often one long string, which reads worse when it is broken.
    let long = |line: &str| chars_without_text(line) > LINE_CHARS_MAX && !table(line);
    check(&["rs", "java", "sh"], |text| {
        numbered(text)
            .filter(|(_, line)| long(line))
            .map(|(number, _)| number)
            .collect()
    });
}

#[test]
fn files_are_at_most_700_lines() {
    check(&["rs", "java"], |text| {
        let count = text.lines().count();
        Vec::from_iter((count > FILE_LINES_MAX).then_some(count))
    });
}

#[test]
fn functions_are_at_most_70_lines() {
    check_where(|path| !is_test(path), &["rs"], long_functions);
}

#[test]
fn no_test_is_ignored() {
    let ignored = concat!("#[", "ignore");
    check(&["rs"], |text| places(text, &[ignored]));
}

#[test]
fn nothing_is_left_to_be_done() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    check(&["rs", "toml", "java", "md", "sh"], |text| {
        places(text, &marks)
    });
}

#[test]
fn modules_are_named_for_what_they_hold() {
    let vague = [
        "util", "utils", "common", "helper", "helpers", "misc", "types",
    ];
    for path in files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
    {
        let named = path
            .iter()
            .filter_map(|part| Path::new(part).file_stem()?.to_str());
        let mut named = named.filter(|name| vague.contains(name));
        assert_eq!(named.next(), None, "{}", path.display());
    }
}

/// Tests wait for a condition, with a deadline: `streams_tests::wait_until`.
#[test]
fn tests_wait_without_sleeping() {
    let sleep = concat!("sl", "eep(");
    check_where(is_test, &["rs"], |text| places(text, &[sleep]));
}

#[test]
fn long_string_does_not_make_a_line_long_but_long_code_does() {
    let text = "x".repeat(LINE_CHARS_MAX);
    assert!(chars_without_text(&format!("    (\"a\", \"{text}\\\"\"),")) < 20);
    assert!(chars_without_text(&format!("    let {text} = \"a\";")) > LINE_CHARS_MAX);
}

#[test]
fn long_function_is_found_and_a_short_one_is_not() {
    let function =
        |lines: usize| format!("    fn f() {{\n{}    }}\n", "        x();\n".repeat(lines));
    assert!(long_functions(&function(FUNCTION_LINES_MAX - 2)).is_empty());
    assert_eq!(
        long_functions(&format!("\n{}", function(FUNCTION_LINES_MAX))),
        [2]
    );
}

fn check(extensions: &[&str], rule: impl Fn(&str) -> Vec<usize>) {
    check_where(|_| true, extensions, rule);
}

/// Fails with every `file:line` that `rule` returns for a file's text.
fn check_where(
    wanted: impl Fn(&Path) -> bool,
    extensions: &[&str],
    rule: impl Fn(&str) -> Vec<usize>,
) {
    let mut found = Vec::new();
    for path in files().into_iter().filter(|path| wanted(path)) {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !extension.is_some_and(|extension| extensions.contains(&extension)) {
            continue;
        }
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let file = path.display();
        found.extend(rule(&text).into_iter().map(|line| format!("{file}:{line}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Every file of the workspace that people write, relative to its root.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.is_file() {
                files.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    files.sort();
    files
}

/// Whether a file holds only tests.
fn is_test(path: &Path) -> bool {
    let mut folders = path.iter().rev().skip(1);
    // The folder of the package `tests` is not one of integration tests.
    let integration = folders.any(|folder| folder == "tests") && !path.starts_with("tests/src");
    integration || path.to_string_lossy().ends_with("_test.rs")
}

/// The length of a line but for what its string literals hold; a raw one counts as the line's end.
fn chars_without_text(line: &str) -> usize {
    let line = line.split("r#\"").next().unwrap_or(line);
    let (mut count, mut in_text, mut escaped) = (0, false, false);
    for letter in line.chars() {
        if letter == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = letter == '\\' && !escaped;
        count += usize::from(!in_text);
    }
    // A literal that goes on from or to another line is text to its very end.
    if in_text { 0 } else { count }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

fn places(text: &str, marks: &[&str]) -> Vec<usize> {
    let marked = |line: &str| marks.iter().any(|mark| line.contains(mark));
    numbered(text)
        .filter(|(_, line)| marked(line))
        .map(|(number, _)| number)
        .collect()
}

/// Where functions begin that are too long. In formatted code a function ends with the first brace
/// that stands as far in as its `fn`.
fn long_functions(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in numbered(text) {
        let indent = line.len() - line.trim_start().len();
        match open {
            Some((start, depth)) if indent == depth && line.trim_start().starts_with('}') => {
                if number - start + 1 > FUNCTION_LINES_MAX {
                    found.push(start);
                }
                open = None;
            }
            None if is_function(line.trim_start()) && !line.ends_with(['}', ';']) => {
                open = Some((number, indent));
            }
            _ => {}
        }
    }
    found
}

fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.by_ref().find(|word| {
        !(word.starts_with("pub") || matches!(*word, "const" | "async" | "in" | "unsafe"))
    }) == Some("fn")
}
