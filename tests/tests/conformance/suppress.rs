//! Suppress.java: results held back.

use std::time::Duration;

use streams_dsl::serde::Utf8Lossy;
use streams_dsl::{
    BufferConfig, KTable, KeyValueStore, SessionStore, StreamsBuilder, Suppressed, WhenFull,
};

use crate::program::{Difference, Program, check};
use crate::text::{counts, keyed, rows, table};
use crate::window::{COUNTS, Windows, counted, graced, grouped, ms, sessions, valued, visited};

const TABLE_COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
const MEMBERS: KeyValueStore<String, i64> = KeyValueStore::named("members");
const SESSION_COUNTS: SessionStore<String, i64> = SessionStore::named("counts");

fn count(b: &StreamsBuilder) -> KTable<String, i64> {
    let grouped = keyed(b, "in").group_by_key().skip_null_values();
    grouped.count(&TABLE_COUNTS)
}

fn windows(b: &StreamsBuilder, grace: u64) -> Windows<i64> {
    grouped(b).windowed_by(graced(10, grace)).count(&COUNTS)
}

fn limit<K, F: WhenFull>(ms: u64, buffer: BufferConfig<F>) -> Suppressed<K> {
    Suppressed::until_time_limit(Duration::from_millis(ms), buffer)
}

fn to_counts(table: KTable<String, i64>) {
    table.to_stream().to(&counts("out"));
}

fn to_rows(table: KTable<String, String>) {
    table.to_stream().to(&rows("out"));
}

const CLOSING: &[Program] = &[
    Program::dsl("suppress-window-close", |b| {
        let closing = Suppressed::until_window_closes(BufferConfig::unbounded());
        counted(windows(b, 0).suppress(closing));
    }),
    Program::dsl("suppress-window-close-grace", |b| {
        let closing = Suppressed::until_window_closes(BufferConfig::unbounded());
        counted(windows(b, 10).suppress(closing).named("final"));
    }),
    Program::dsl("suppress-window-close-bounded", |b| {
        let buffer = BufferConfig::max_records(2).shut_down_when_full();
        counted(windows(b, 0).suppress(Suppressed::until_window_closes(buffer)));
    }),
    Program::dsl("suppress-session-close", |b| {
        let closing = Suppressed::until_window_closes(BufferConfig::unbounded());
        let counts = grouped(b)
            .windowed_by(sessions(5, 3))
            .count(&SESSION_COUNTS);
        visited(counts.suppress(closing));
    }),
    Program::dsl("suppress-sliding-close", |b| {
        let closing = Suppressed::until_window_closes(BufferConfig::unbounded());
        let windows = streams_dsl::SlidingWindows::of_time_difference_and_grace(ms(10), ms(5));
        counted(
            valued(b)
                .windowed_by(windows)
                .count(&COUNTS)
                .suppress(closing),
        );
    }),
    Program::dsl("suppress-window-close-no-changelog", |b| {
        let buffer = BufferConfig::unbounded().without_logging();
        counted(windows(b, 0).suppress(Suppressed::until_window_closes(buffer)));
    }),
];

const LIMITS: &[Program] = &[
    Program::dsl("suppress-time-limit", |b| {
        to_counts(count(b).suppress(limit(20, BufferConfig::unbounded())));
    }),
    Program::dsl("suppress-time-limit-zero", |b| {
        to_counts(count(b).suppress(limit(0, BufferConfig::unbounded())));
    }),
    Program::dsl("suppress-time-limit-named", |b| {
        let slow = count(b).suppress(limit(20, BufferConfig::unbounded()));
        to_counts(slow.named("slow"));
    }),
    Program::dsl("suppress-max-records", |b| {
        to_counts(count(b).suppress(limit(1000, BufferConfig::max_records(2))));
    }),
    Program::dsl("suppress-max-bytes", |b| {
        to_rows(table(b, "in").suppress(limit(1000, BufferConfig::max_bytes(200))));
    }),
    Program::dsl("suppress-shut-down-when-full", |b| {
        let buffer = BufferConfig::max_records(1).shut_down_when_full();
        to_rows(table(b, "in").suppress(limit(1000, buffer)));
    }),
    Program::dsl("suppress-table-tombstones", |b| {
        to_rows(table(b, "in").suppress(limit(20, BufferConfig::unbounded())));
    }),
    Program::dsl("suppress-then-group", |b| {
        let slow = table(b, "in").suppress(limit(20, BufferConfig::unbounded()));
        let members = slow.group_by(Utf8Lossy, Utf8Lossy, |key, value| (value, key.clone()));
        to_counts(members.count(&MEMBERS));
    }),
    Program::dsl("suppress-then-join", |b| {
        let slow = table(b, "in").suppress(limit(10, BufferConfig::unbounded()));
        let joiner = |left: &String, right: &String| format!("{left}+{right}");
        to_rows(slow.join(table(b, "other"), joiner));
    }),
];

pub(crate) fn programs() -> Vec<Program> {
    [CLOSING, LIMITS].concat()
}

/// A step that fails leaves nothing behind: what it wrote is not committed.
const DIFFERENCES: &[Difference] = &[
    Difference {
        program: "suppress-window-close-bounded",
        theirs: ", [c@0/10]=1 at 4]",
        ours: "]",
    },
    Difference {
        program: "suppress-shut-down-when-full",
        theirs: ", b=3 at 3]",
        ours: "]",
    },
];

#[test]
fn suppressed_tables_are_as_on_the_jvm() {
    check(&programs(), DIFFERENCES);
}
