//! Split.java: splitting and merging.

use crate::program::{Program, check};
use crate::text::{Text, append, is_some, plus, prepend, starts, stream, topic};

fn is_none(_: &Text, value: &Text) -> bool {
    value.is_none()
}

fn has_key(key: &Text, _: &Text) -> bool {
    key.is_some()
}

const SPLITS: &[Program] = &[
    Program::dsl("split-default", |b| {
        let mut split = stream(b, "in").split();
        let first = split.branch("1", starts("a"));
        let second = split.branch("2", starts("b"));
        split
            .default_branch("0")
            .to(&topic("out-KSTREAM-BRANCH-00000000010"));
        first.to(&topic("out-KSTREAM-BRANCH-00000000011"));
        second.to(&topic("out-KSTREAM-BRANCH-00000000012"));
    }),
    Program::dsl("split-no-default", |b| {
        let mut split = stream(b, "in").split();
        let first = split.branch("1", starts("a"));
        let second = split.branch("2", is_none);
        first.to(&topic("out-KSTREAM-BRANCH-00000000011"));
        second.to(&topic("out-KSTREAM-BRANCH-00000000012"));
    }),
    Program::dsl("split-named", |b| {
        let mut split = stream(b, "in").split().named("fruit-");
        let first = split.branch("a", starts("a"));
        let second = split.branch("b", starts("b"));
        let other = split.default_branch("other");
        first.to(&topic("out-fruit-a"));
        second.to(&topic("out-fruit-b"));
        other.to(&topic("out-fruit-other"));
    }),
    Program::dsl("split-named-unnamed-branches", |b| {
        let mut split = stream(b, "in").split().named("fruit-");
        let first = split.branch("1", starts("a"));
        let second = split.branch("b", starts("b"));
        split.default_branch("0").to(&topic("out-fruit-0"));
        first.to(&topic("out-fruit-1"));
        second.to(&topic("out-fruit-b"));
    }),
    Program::dsl("split-first-match-wins", |b| {
        let mut split = stream(b, "in").split().named("x-");
        let first = split.branch("1", is_some);
        let second = split.branch("2", starts("a"));
        let third = split.branch("3", |_, _| true);
        first.to(&topic("out-x-1"));
        second.to(&topic("out-x-2"));
        third.to(&topic("out-x-3"));
    }),
    Program::dsl("split-only-default", |b| {
        stream(b, "in")
            .split()
            .default_branch("0")
            .to(&topic("out"));
    }),
    Program::dsl("split-unused", |b| {
        drop(stream(b, "in").split().branch("1", starts("a")));
    }),
];

const BRANCHED: &[Program] = &[
    Program::dsl("split-with-consumer", |b| {
        let mut split = stream(b, "in").split();
        split.branch("1", starts("a")).to(&topic("a"));
        split
            .branch("2", starts("b"))
            .map_values(append("!"))
            .to(&topic("b"));
        split.default_branch("0").to(&topic("rest"));
    }),
    Program::dsl("split-with-consumer-named", |b| {
        let mut split = stream(b, "in").split().named("route-");
        split.branch("a", starts("a")).to(&topic("a"));
        split.default_branch("rest").to(&topic("rest"));
    }),
    Program::dsl("split-with-function", |b| {
        let mut split = stream(b, "in").split();
        let first = split.branch("1", starts("a")).map_values(prepend("A:"));
        let second = split.branch("b", starts("b")).filter(has_key);
        let rest = split.default_branch("0");
        rest.to(&topic("out-KSTREAM-BRANCH-00000000010"));
        first.to(&topic("out-KSTREAM-BRANCH-00000000011"));
        second.to(&topic("out-KSTREAM-BRANCH-0000000001b"));
    }),
    Program::dsl("split-nested", |b| {
        let mut outer = stream(b, "in").split().named("outer-");
        let mut inner = outer.branch("present", is_some).split().named("inner-");
        inner.branch("a", starts("a")).to(&topic("inner-a"));
        inner.default_branch("rest").to(&topic("inner-rest"));
        outer.default_branch("absent").to(&topic("absent"));
    }),
    Program::dsl("split-then-merge", |b| {
        let mut split = stream(b, "in").split().named("p-");
        let first = split.branch("a", starts("a"));
        let rest = split.default_branch("rest");
        first.map_values(append("?")).merge(rest).to(&topic("out"));
    }),
];

const MERGES: &[Program] = &[
    Program::dsl("merge", |b| {
        stream(b, "in").merge(stream(b, "other")).to(&topic("out"));
    }),
    Program::dsl("merge-named", |b| {
        let first = stream(b, "in");
        first
            .merge(stream(b, "other"))
            .named("both")
            .to(&topic("out"));
    }),
    Program::dsl("merge-three", |b| {
        let first = stream(b, "in");
        let two = first.merge(stream(b, "second"));
        two.merge(stream(b, "third")).to(&topic("out"));
    }),
    Program::dsl("merge-mapped", |b| {
        let left = stream(b, "in").map_values(prepend("left "));
        let right = stream(b, "other")
            .filter(is_some)
            .map_values(prepend("right "));
        left.merge(right).map_values(append(".")).to(&topic("out"));
    }),
    Program::dsl("merge-with-itself", |b| {
        let stream = stream(b, "in");
        stream.clone().merge(stream).to(&topic("out"));
    }),
    Program::dsl("diamond", |b| {
        let stream = stream(b, "in");
        let left = stream.clone().map_values(prepend("left "));
        let right = stream.filter(is_some).map_values(prepend("right "));
        left.merge(right).to(&topic("out"));
    }),
    Program::dsl("merge-order", |b| {
        let stream = stream(b, "in");
        let second = stream.clone().map_values(|value| plus(&value, "-second"));
        let first = stream.map_values(|value| plus(&value, "-first"));
        first.merge(second).to(&topic("out"));
    }),
];

#[test]
fn splits_are_as_on_the_jvm() {
    check(SPLITS, &[]);
    check(BRANCHED, &[]);
}

#[test]
fn merges_are_as_on_the_jvm() {
    check(MERGES, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [SPLITS, BRANCHED, MERGES].concat()
}
