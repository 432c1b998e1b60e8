//! Stateless.java: each stateless operator alone.

use streams_dsl::serde::I64;
use streams_dsl::serde::Nullable;
use streams_dsl::{Printed, Topic};

use crate::program::{Program, check, note};
use crate::text::{TEXT, Text, append, is_some, or_null, stream, topic, upper};

fn has_an(_: &Text, value: &Text) -> bool {
    value.as_deref().is_some_and(|value| value.contains("an"))
}

fn swap(key: Text, value: Text) -> (Text, Text) {
    (upper(&value), Some(or_null(&key).to_owned()))
}

fn pair(key: &Text, value: Text) -> Text {
    Some(format!("{}={}", or_null(key), or_null(&value)))
}

fn twice(key: Text, value: Text) -> Vec<(Text, Text)> {
    let Some(value) = value else {
        return Vec::new();
    };
    vec![
        (key.clone(), Some(format!("{value}-1"))),
        (Some(value), None),
        (None, key),
    ]
}

fn letters(value: Text) -> Vec<Text> {
    match value.as_deref() {
        None => vec![Some("none".to_owned())],
        // Java splits an empty text into one empty part.
        Some("") => vec![Some(String::new())],
        Some(value) => value
            .chars()
            .map(|letter| Some(letter.to_string()))
            .collect(),
    }
}

fn paths(key: &Text, value: Text) -> Vec<Text> {
    let path = format!("{}/{}", or_null(key), or_null(&value));
    vec![Some(path), Some("end".to_owned())]
}

fn words(value: Text) -> Vec<Text> {
    let value = value.unwrap_or_default();
    value.split(' ').map(|word| Some(word.to_owned())).collect()
}

fn trim(value: Text) -> Text {
    value.map(|value| value.trim().to_owned())
}

fn initial(_: Text, value: Text) -> (Text, Text) {
    (
        value
            .as_ref()
            .and_then(|value| Some(value.get(..1)?.to_owned())),
        value,
    )
}

fn is_empty(_: &Text, value: &Text) -> bool {
    value.as_deref() == Some("")
}

fn shown(key: &Text, value: &Text) -> String {
    format!("{}, {}", or_null(key), or_null(value))
}

const FILTERS: &[Program] = &[
    Program::dsl("filter", |b| {
        drop(stream(b, "in").filter(has_an).to(&topic("out")))
    }),
    Program::dsl("filter-named", |b| {
        stream(b, "in")
            .filter(has_an)
            .named("with-an")
            .to(&topic("out"));
    }),
    Program::dsl("filter-by-key", |b| {
        stream(b, "in")
            .filter(|key, _| key.is_some())
            .to(&topic("out"));
    }),
    Program::dsl("filter-not", |b| {
        stream(b, "in").filter_not(has_an).to(&topic("out"));
    }),
    Program::dsl("filter-not-named", |b| {
        stream(b, "in")
            .filter_not(has_an)
            .named("without-an")
            .to(&topic("out"));
    }),
];

const MAPS: &[Program] = &[
    Program::dsl("map", |b| drop(stream(b, "in").map(swap).to(&topic("out")))),
    Program::dsl("map-named", |b| {
        stream(b, "in").map(swap).named("swap").to(&topic("out"));
    }),
    Program::dsl("map-to-null", |b| {
        stream(b, "in").map(|_, _| (None, None)).to(&topic("out"));
    }),
    Program::dsl("map-values", |b| {
        stream(b, "in")
            .map_values(|value| upper(&value))
            .to(&topic("out"));
    }),
    Program::dsl("map-values-named", |b| {
        stream(b, "in")
            .map_values(|value| upper(&value))
            .named("upper")
            .to(&topic("out"));
    }),
    Program::dsl("map-values-with-key", |b| {
        stream(b, "in").map_values_with_key(pair).to(&topic("out"));
    }),
    Program::dsl("map-values-with-key-named", |b| {
        stream(b, "in")
            .map_values_with_key(pair)
            .named("pair")
            .to(&topic("out"));
    }),
    Program::dsl("map-values-to-null", |b| {
        let to_null = |value: Text| value.filter(|value| !value.contains("an"));
        stream(b, "in").map_values(to_null).to(&topic("out"));
    }),
    Program::dsl("map-values-to-long", |b| {
        let out = Topic::new("out", TEXT, Nullable(I64));
        let length = |value: Text| value.map(|value| value.len() as i64);
        stream(b, "in").map_values(length).to(&out);
    }),
    Program::dsl("select-key", |b| {
        let select = |_: &Text, value: &Text| value.is_some().then(|| upper(value)).flatten();
        stream(b, "in").select_key(select).to(&topic("out"));
    }),
    Program::dsl("select-key-named", |b| {
        let selected = stream(b, "in").select_key(|_, value| upper(value));
        selected.named("by-value").to(&topic("out"));
    }),
];

const FLAT_MAPS: &[Program] = &[
    Program::dsl("flat-map", |b| {
        drop(stream(b, "in").flat_map(twice).to(&topic("out")))
    }),
    Program::dsl("flat-map-named", |b| {
        stream(b, "in")
            .flat_map(twice)
            .named("twice")
            .to(&topic("out"));
    }),
    Program::dsl("flat-map-values", |b| {
        stream(b, "in").flat_map_values(letters).to(&topic("out"));
    }),
    Program::dsl("flat-map-values-named", |b| {
        stream(b, "in")
            .flat_map_values(letters)
            .named("letters")
            .to(&topic("out"));
    }),
    Program::dsl("flat-map-values-with-key", |b| {
        stream(b, "in")
            .flat_map_values_with_key(paths)
            .to(&topic("out"));
    }),
    Program::dsl("flat-map-values-with-key-named", |b| {
        stream(b, "in")
            .flat_map_values_with_key(paths)
            .named("paths")
            .to(&topic("out"));
    }),
];

/// What `print` writes goes to standard output here, and is a note there: its scenarios are left to
/// the DSL's own tests.
const EFFECTS: &[Program] = &[
    Program::dsl("peek", |b| {
        let saw =
            |key: &Text, value: &Text| note(format!("saw {}={}", or_null(key), or_null(value)));
        stream(b, "in").peek(saw).to(&topic("out"));
    }),
    Program::dsl("peek-named", |b| {
        stream(b, "in")
            .peek(|_, _| note("saw"))
            .named("look")
            .to(&topic("out"));
    }),
    Program::dsl("for-each", |b| {
        stream(b, "in")
            .for_each(|key, value| note(format!("did {}={}", or_null(&key), or_null(&value))));
    }),
    Program::dsl("for-each-named", |b| {
        stream(b, "in").for_each(|_, _| note("did")).named("act");
    }),
    Program::dsl("peek-twice", |b| {
        let once = stream(b, "in").peek(|key, _| note(format!("first {}", or_null(key))));
        drop(once.peek(|key, _| note(format!("second {}", or_null(key)))));
    }),
    Program::dsl("print", |b| {
        drop(stream(b, "in").print(Printed::new(shown)))
    })
    .described_only(),
    Program::dsl("print-labelled", |b| {
        stream(b, "in").print(Printed::new(shown).with_label("fruit"));
    })
    .described_only(),
    Program::dsl("print-mapped", |b| {
        let mapped = |key: &Text, value: &Text| format!("{}->{}", or_null(key), or_null(value));
        stream(b, "in").print(Printed::new(mapped).with_label("fruit"));
    })
    .described_only(),
    Program::dsl("print-named", |b| {
        stream(b, "in").print(Printed::new(shown)).named("show")
    }),
];

const CHAINS: &[Program] = &[
    Program::dsl("chain-stateless", |b| {
        stream(b, "in")
            .filter(is_some)
            .map_values(trim)
            .filter_not(is_empty)
            .map(initial)
            .flat_map_values(words)
            .peek(|key, value| note(format!("{}:{}", or_null(key), or_null(value))))
            .select_key(|_, value| value.clone())
            .map_values_with_key(|key, value| {
                Some(format!(
                    "{}{}",
                    or_null(key),
                    value.map_or(0, |value| value.len())
                ))
            })
            .to(&topic("out"));
    }),
    Program::dsl("chain-stateless-named", |b| {
        let lines = stream(b, "in")
            .named("lines")
            .filter(is_some)
            .named("present");
        let trimmed = lines
            .map_values(trim)
            .named("trim")
            .map(initial)
            .named("initial");
        trimmed
            .flat_map_values(words)
            .named("words")
            .to(&topic("out"))
            .named("write");
    }),
    Program::dsl("chain-of-ten", |b| {
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let add = |stream: crate::text::Texts, digit| stream.map_values(append(digit));
        digits
            .into_iter()
            .fold(stream(b, "in"), add)
            .to(&topic("out"));
    }),
    Program::dsl("chain-mixed-names", |b| {
        stream(b, "in")
            .filter(is_some)
            .map_values(trim)
            .named("trim")
            .select_key(|_, value| value.clone())
            .filter_not(is_empty)
            .named("not-empty")
            .peek(|_, value| note(or_null(value)))
            .to(&topic("out"));
    }),
];

#[test]
fn filters_are_as_on_the_jvm() {
    check(FILTERS, &[]);
}

#[test]
fn maps_are_as_on_the_jvm() {
    check(MAPS, &[]);
    check(FLAT_MAPS, &[]);
}

#[test]
fn peeks_for_eaches_and_prints_are_as_on_the_jvm() {
    check(EFFECTS, &[]);
}

#[test]
fn chains_are_as_on_the_jvm() {
    check(CHAINS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [FILTERS, MAPS, FLAT_MAPS, EFFECTS, CHAINS].concat()
}
