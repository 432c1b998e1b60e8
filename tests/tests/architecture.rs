//! What may import what: between the crates, and between the rooms of `streams-core`.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each crate and the crates of this workspace that it may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("streams-core", &[]),
    ("streams-dsl", &["streams-core"]),
    ("cdc-source", &["streams-core"]),
    ("processors", &["streams-core", "streams-dsl"]),
    (
        "examples",
        &["streams-core", "streams-dsl", "streams-tests"],
    ),
    (
        "tests",
        &["streams-core", "streams-dsl", "cdc-source", "processors"],
    ),
    (
        "benches",
        &[
            "streams-core",
            "streams-dsl",
            "cdc-source",
            "processors",
            "streams-tests",
        ],
    ),
];

/// The rooms of `streams-core`, from the top: a room may import rooms of the layers below its own.
/// The last layer is the vocabulary of all others; its rooms may import each other.
const ROOMS: &[&[&str]] = &[
    &["testing"],
    &["app"],
    &["runtime"],
    &["group", "task"],
    &["topology"],
    &["processor"],
    &["store"],
    &["broker", "topic"],
    &["serde"],
    &["metrics", "observability"],
    &["config"],
    &["record", "window", "id", "clock", "error"],
];

/// A folder or file, a pattern of what its code must not name, and where within it that is allowed.
const BANNED: &[(&str, &str, Option<&str>)] = &[
    (
        "streams-core/src",
        r"\brdkafka\b",
        Some("streams-core/src/broker/librdkafka"),
    ),
    ("streams-dsl/src", r"\brdkafka\b", None),
    ("streams-dsl/src", r"\b(std::)?thread::", None),
    ("cdc-source/src", r"\brdkafka\b", None),
    (
        "processors/src",
        r"\brdkafka\b",
        Some("processors/src/lag/broker.rs"),
    ),
    (
        "processors/src",
        r"\brdkafka\b",
        Some("processors/src/lag/broker"),
    ),
    (
        "processors/src",
        r"\bpgwire_replication\b|\btokio_postgres\b",
        None,
    ),
];

#[test]
fn crates_depend_in_one_direction() {
    let names: BTreeSet<&str> = CRATES
        .iter()
        .flat_map(|(name, uses)| uses.iter().chain([name]))
        .copied()
        .collect();
    for (folder, allowed) in CRATES {
        let path = root().join(folder).join("Cargo.toml");
        for dependency in dependencies(&fs::read_to_string(&path).unwrap()) {
            let wrong = names.contains(dependency.as_str())
                && !allowed.contains(&dependency.as_str())
                && dependency != *folder;
            assert!(
                !wrong,
                "{folder} must not depend on {dependency}; it may on {allowed:?}"
            );
        }
    }
}

#[test]
fn rooms_import_rooms_below_their_own() {
    let source = root().join("streams-core/src");
    let exports = root_exports(&code(&fs::read_to_string(source.join("lib.rs")).unwrap()));
    let mut mistakes = Vec::new();
    for path in rust_files(&source) {
        let module = module_of(path.strip_prefix(&source).unwrap());
        let text = code(&fs::read_to_string(&path).unwrap());
        let file = path.display();
        mistakes.extend(
            wrong_imports(&module, &text, &exports).map(|wrong| format!("{file}: {wrong}")),
        );
    }
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn banned_names_stay_in_their_room() {
    for (folder, pattern, exception) in BANNED {
        let pattern = Regex::new(pattern).unwrap();
        let exception = exception.map(|exception| root().join(exception));
        for path in rust_files(&root().join(folder)) {
            let excused = exception.as_ref().is_some_and(|exception| {
                path.starts_with(exception) || path == exception.with_extension("rs")
            });
            let text = code(&fs::read_to_string(&path).unwrap());
            let found = (!excused).then(|| pattern.find(&text)).flatten();
            assert!(
                found.is_none(),
                "{} names {:?}",
                path.display(),
                found.map(|it| it.as_str())
            );
        }
    }
}

#[test]
fn import_of_a_room_above_is_noticed_however_it_is_written() {
    let exports = BTreeMap::from([(String::from("KafkaStreams"), String::from("app"))]);
    let wrong = |module: &[&str], text: &str| {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        wrong_imports(&module, &code(text), &exports).count()
    };
    assert_eq!(wrong(&["serde"], "use crate::broker::Consumer;"), 1);
    assert_eq!(
        wrong(
            &["serde"],
            "use crate::{record::Record, broker::{self, Consumer}};"
        ),
        1
    );
    assert_eq!(wrong(&["serde"], "use super::broker::Consumer;"), 1);
    assert_eq!(
        wrong(
            &["serde", "json"],
            "fn f(_: super::super::broker::Consumer) {}"
        ),
        1
    );
    assert_eq!(
        wrong(&["task"], "use crate::group::Member;"),
        1,
        "rooms of one layer"
    );
    assert_eq!(
        wrong(&["task"], "use crate::KafkaStreams;"),
        1,
        "by the crate's root"
    );
    assert_eq!(
        wrong(&["task"], "use crate::attic::Old;"),
        1,
        "a room that has no layer"
    );

    assert_eq!(
        wrong(
            &["broker"],
            "use crate::serde::Serde; use crate::error::Error;"
        ),
        0
    );
    assert_eq!(
        wrong(
            &["serde", "json"],
            "use super::Serde; use crate::serde::Nullable;"
        ),
        0
    );
    assert_eq!(
        wrong(&["record"], "use crate::id::TaskId;"),
        0,
        "the vocabulary"
    );
    assert_eq!(wrong(&["serde"], "// use crate::broker::Consumer;\n"), 0);
    let tested = "#[cfg(test)]\nmod tests {\n    use crate::testing::Driver;\n}\n";
    assert_eq!(wrong(&["serde"], tested), 0, "tests may use what they like");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Every source file under a folder, but for those that hold only tests.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !stem.ends_with("_test")
            && stem != "tests"
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `serde/json.rs` and `serde/json/mod.rs` are both the module `serde::json`.
fn module_of(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let parts = parts.iter().map(|part| part.to_str().unwrap().to_owned());
    parts
        .filter(|part| part != "mod" && part != "lib")
        .collect()
}

/// The text without comments and without its unit tests.
fn code(text: &str) -> String {
    let tests = Regex::new(r"(?s)#\[cfg\(test\)\]\s*(#\[[^\n]*\]\s*)*mod \w+ \{.*").unwrap();
    let comments = Regex::new(r"(?m)(^|\s)//.*$").unwrap();
    comments
        .replace_all(&tests.replace(text, ""), "")
        .into_owned()
}

/// The names that `lib.rs` re-exports, each with the room that it comes from.
fn root_exports(text: &str) -> BTreeMap<String, String> {
    let item = Regex::new(r"(?s)pub use (?:crate::|self::)?(\w+)::(.*?);").unwrap();
    let name = Regex::new(r"\w+").unwrap();
    let names = item.captures_iter(text).flat_map(|item| {
        let room = item[1].to_owned();
        let names = name.find_iter(item.get(2).unwrap().as_str());
        names
            .map(|name| (name.as_str().to_owned(), room.clone()))
            .collect::<Vec<_>>()
    });
    names.collect()
}

/// What is imported from the crate's root on: the first name of each path.
fn roots_named(module: &[String], text: &str) -> BTreeSet<String> {
    let path = Regex::new(r"\b(crate::|(?:self::)?(?:super::)+)(\{|\w+)").unwrap();
    let mut names = BTreeSet::new();
    for found in path.captures_iter(text) {
        let supers = found[1].matches("super::").count();
        let at_root = &found[1] == "crate::" || supers == module.len();
        let first = found.get(2).unwrap();
        if at_root && first.as_str() == "{" {
            names.extend(first_names(&text[first.end()..]));
        } else if at_root {
            names.insert(first.as_str().to_owned());
        }
    }
    names
}

/// The first name of each item of a `{…}` group, whose text begins behind its brace.
fn first_names(group: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let (mut depth, mut complete) = (1, false);
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                names.push(String::new());
                complete = false;
            }
            ':' => complete = true,
            letter if depth == 1 && !complete && !letter.is_whitespace() => {
                names.last_mut().unwrap().push(letter);
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn wrong_imports<'a>(
    module: &[String],
    text: &str,
    exports: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = String> + use<'a> {
    let room = module.first().cloned();
    let names = if module.is_empty() {
        BTreeSet::new()
    } else {
        roots_named(module, text)
    };
    names.into_iter().filter_map(move |name| {
        let from = room.as_deref()?;
        let to = exports.get(&name).unwrap_or(&name);
        let layer = |room: &str| ROOMS.iter().position(|layer| layer.contains(&room));
        let (Some(from_layer), Some(to_layer)) = (layer(from), layer(to)) else {
            return Some(format!("`{from}` or `{to}` has no layer in {}", file!()));
        };
        let vocabulary = from_layer == to_layer && to_layer + 1 == ROOMS.len();
        let allowed = from == to || from_layer < to_layer || vocabulary;
        (!allowed).then(|| format!("room `{from}` must not import `{to}` (by `crate::{name}`)"))
    })
}

/// The names under `[dependencies]`; tests and builds may depend on more.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
