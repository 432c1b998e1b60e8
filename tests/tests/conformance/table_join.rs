//! TableJoin.java: streams with tables, tables with tables, by primary and by foreign key.

use std::time::Duration;

use streams_dsl::serde::Utf8Lossy;
use streams_dsl::{Joined, KStream, KTable, Materialized, StreamsBuilder, TableJoined, Topic};

use crate::program::{Difference, Program, check};
use crate::text::{TEXT, Text, stream, table};

/// What joins; there is no null to be joined but the one of an outer join.
fn plus(left: String, right: String) -> String {
    left + "+" + &right
}

fn plus_null(left: String, right: Option<String>) -> String {
    left + "+" + right.as_deref().unwrap_or("null")
}

/// The stream, whose records without a key or a value no inner join takes.
fn left_stream(builder: &StreamsBuilder) -> KStream<String, String> {
    stream(builder, "left").skip_null_keys().skip_null_values()
}

fn right(builder: &StreamsBuilder) -> KTable<String, String> {
    table(builder, "right")
}

fn versioned(builder: &StreamsBuilder) -> KTable<String, String> {
    let topic = Topic::new("right", Utf8Lossy, Utf8Lossy);
    let versions = Materialized::named("versions").versioned(Duration::from_millis(100));
    builder.table_as(&topic, versions)
}

/// The key of a null key's record is null, too.
fn plus_any(_: &Text, left: String, right: Option<String>) -> String {
    plus_null(left, right)
}

fn enrich<K, V>() -> Joined<K, V> {
    Joined::new().named("enrich")
}

fn graced<K, V>() -> Joined<K, V> {
    Joined::new()
        .named("graced")
        .with_grace_period(Duration::from_millis(10))
}

fn stream_programs() -> Vec<Program> {
    vec![
        Program::dsl("stream-table-join", |b| {
            left_stream(b).join_table(&right(b), plus).to(&out());
        }),
        Program::dsl("stream-table-join-named", |b| {
            let named = left_stream(b).join_table_with(&right(b), enrich(), |_, l, r| plus(l, r));
            named.to(&out());
        }),
        Program::dsl("stream-table-join-with-key", |b| {
            let joined = left_stream(b);
            let joined = joined.join_table_with(&right(b), Joined::new(), |key, left, right| {
                format!("{key}:{left}+{right}")
            });
            joined.to(&out());
        }),
        Program::dsl("stream-table-left-join", |b| {
            let left = stream(b, "left").skip_null_values();
            let joined = left.left_join_table_nullable(&right(b), Joined::new(), plus_any);
            joined.to(&nullable_out());
        }),
        Program::dsl("stream-table-left-join-named", |b| {
            let left = stream(b, "left").skip_null_values();
            let joined = left.left_join_table_nullable(&right(b), enrich(), plus_any);
            joined.to(&nullable_out());
        }),
        Program::dsl("stream-table-join-after-map", |b| {
            let left = stream(b, "left").map(|key, value| (value, key));
            let left = left.skip_null_keys().skip_null_values();
            let joined = Joined::new()
                .with_key_serde(Utf8Lossy)
                .with_value_serde(Utf8Lossy);
            left.join_table_with(&right(b), joined, |_, l, r| plus(l, r))
                .to(&out());
        }),
        Program::dsl("stream-table-left-join-after-map-named", |b| {
            let left = stream(b, "left").skip_null_values();
            let left = left.select_key(|_, value| Some(value.clone()));
            let joined = enrich().with_key_serde(TEXT);
            let joined = left.left_join_table_nullable(&right(b), joined, plus_any);
            joined.to(&nullable_out());
        }),
        Program::dsl("stream-table-join-versioned", |b| {
            left_stream(b).join_table(&versioned(b), plus).to(&out());
        }),
        Program::dsl("stream-table-join-grace", |b| {
            let joined = left_stream(b);
            let joined = joined.join_table_with(&versioned(b), graced(), |_, l, r| plus(l, r));
            joined.to(&out());
        }),
        Program::dsl("stream-table-left-join-grace", |b| {
            let left = stream(b, "left").skip_null_values();
            let joined = left.left_join_table_nullable(&versioned(b), graced(), plus_any);
            joined.to(&nullable_out());
        }),
        Program::dsl("stream-table-join-filtered-table", |b| {
            let left = left_stream(b);
            let right = right(b).filter(|_, value| value.ends_with('1'));
            left.join_table(&right, plus).to(&out());
        }),
        Program::dsl("stream-table-join-self", |b| {
            let left = stream(b, "left").skip_null_keys();
            let table = left.clone().to_table(Materialized::new());
            left.skip_null_values().join_table(&table, plus).to(&out());
        }),
    ]
}

fn out() -> Topic<String, String> {
    Topic::new("out", Utf8Lossy, Utf8Lossy)
}

fn nullable_out() -> Topic<Text, String> {
    Topic::new("out", TEXT, Utf8Lossy)
}

/// All programs.
pub(crate) fn programs() -> Vec<Program> {
    [
        stream_programs(),
        table_programs(),
        table_shapes(),
        foreign_programs(),
    ]
    .concat()
}

#[test]
fn streams_and_tables_are_joined_as_on_the_jvm() {
    // A null value is left out before it goes through the repartition topic, not behind it.
    let differences = [Difference {
        program: "stream-table-left-join-after-map-named",
        theirs: "record conformance-enrich-repartition null=null at 3 headers []",
        ours: "",
    }];
    check(&stream_programs(), &differences);
}

fn table_programs() -> Vec<Program> {
    vec![
        Program::dsl("table-join", |b| {
            let joined = table(b, "left").join(right(b), plus_ref);
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-join-named", |b| {
            let joined = table(b, "left").join(right(b), plus_ref).named("both");
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-join-materialized", |b| {
            let joined = table(b, "left").join_as(right(b), some_plus, joined_store());
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-left-join", |b| {
            let joined = table(b, "left").left_join(right(b), left_plus);
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-left-join-materialized", |b| {
            let joined = table(b, "left");
            let joined = joined.left_join_as(
                right(b),
                |left, right| Some(left_plus(left, right)),
                joined_store(),
            );
            joined.named("both").to_stream().to(&rows());
        }),
        Program::dsl("table-outer-join", |b| {
            let joined = table(b, "left").outer_join(right(b), outer_plus);
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-outer-join-materialized", |b| {
            let joined = table(b, "left");
            let joined = joined.outer_join_as(
                right(b),
                |left, right| Some(outer_plus(left, right)),
                joined_store(),
            );
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-join-to-null", |b| {
            let joined = table(b, "left").join_or_delete(right(b), |left, right| {
                (right != "R2").then(|| format!("{left}{right}"))
            });
            joined.to_stream().to(&rows());
        }),
    ]
}

/// Joins of tables that have come a way.
fn table_shapes() -> Vec<Program> {
    vec![
        Program::dsl("table-join-chain", |b| {
            let joined = table(b, "left").join(right(b), plus_ref);
            let joined = joined.left_join(table(b, "third"), left_plus);
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-join-optimized", |b| {
            let joined = table(b, "left").join(right(b), plus_ref);
            joined.to_stream().to(&rows());
        }),
        Program::dsl("table-join-filtered", |b| {
            let left = table(b, "left").filter(|_, value| value != "L2");
            let right = right(b).map_values(|value| value + "!");
            left.join(right, plus_ref).to_stream().to(&rows());
        }),
        Program::dsl("table-self-join", |b| {
            let table = table(b, "left");
            table.clone().join(table, plus_ref).to_stream().to(&rows());
        }),
        Program::dsl("table-join-versioned", |b| {
            let topic = Topic::new("left", Utf8Lossy, Utf8Lossy);
            let versions = Materialized::named("left-versions");
            let left = b.table_as(&topic, versions.versioned(Duration::from_millis(100)));
            left.join(versioned(b), plus_ref).to_stream().to(&rows());
        }),
        Program::dsl("table-join-aggregate", |b| {
            let counts = left_stream(b).group_by_key().count(Materialized::new());
            let joined = counts.join(right(b), |count, text| format!("{count}{text}"));
            joined.to_stream().to(&rows());
        }),
    ]
}

fn plus_ref(left: &String, right: &String) -> String {
    format!("{left}+{right}")
}

#[allow(clippy::ref_option, reason = "the shape of a joiner")]
fn some_plus(left: &String, right: &String) -> Option<String> {
    Some(plus_ref(left, right))
}

fn left_plus(left: &String, right: Option<&String>) -> String {
    outer_plus(Some(left), right)
}

fn outer_plus(left: Option<&String>, right: Option<&String>) -> String {
    let text = |text: Option<&String>| text.map_or("null", String::as_str).to_owned();
    text(left) + "+" + &text(right)
}

fn joined_store() -> Materialized<String, String> {
    Materialized::named("joined").with_value_serde(Utf8Lossy)
}

fn rows() -> Topic<String, Text> {
    Topic::new("out", Utf8Lossy, TEXT)
}

#[test]
fn tables_are_joined_as_on_the_jvm() {
    check(&table_programs(), &[]);
    check(&table_shapes(), &[]);
}

/// Orders point at users by their value, "user/amount".
#[allow(clippy::ptr_arg, reason = "the shape of an extractor")]
fn user(_: &String, order: &String) -> Option<String> {
    let user = order.split('/').next()?;
    (!user.is_empty()).then(|| user.to_owned())
}

fn orders(builder: &StreamsBuilder) -> KTable<String, String> {
    table(builder, "orders")
}

fn users(builder: &StreamsBuilder) -> KTable<String, String> {
    table(builder, "users")
}

fn owner() -> TableJoined<String, String> {
    TableJoined::new().named("owner")
}

fn write(table: KTable<String, String>) {
    table.to_stream().to(&rows());
}

fn foreign_programs() -> Vec<Program> {
    vec![
        Program::dsl("foreign-key-join", |b| {
            write(orders(b).join_foreign_key(users(b), user, plus_ref));
        }),
        Program::dsl("foreign-key-left-join", |b| {
            write(orders(b).left_join_foreign_key(users(b), user, left_plus));
        }),
        Program::dsl("foreign-key-join-by-key", |b| {
            let extract = |key: &String, _: &String| format!("u{key}");
            write(orders(b).join_foreign_key(users(b), extract, plus_ref));
        }),
        Program::dsl("foreign-key-join-materialized", |b| {
            let options = (TableJoined::new(), joined_store());
            let (orders, users) = (orders(b), users(b));
            write(orders.join_foreign_key_with(users, user, some_plus, options.0, options.1));
        }),
        Program::dsl("foreign-key-left-join-materialized", |b| {
            let (orders, users) = (orders(b), users(b));
            write(orders.left_join_foreign_key_with(
                users,
                user,
                |left, right| Some(left_plus(left, right)),
                TableJoined::new(),
                joined_store(),
            ));
        }),
        Program::dsl("foreign-key-join-optimized", |b| {
            write(orders(b).join_foreign_key(users(b), user, plus_ref));
        }),
        Program::dsl("foreign-key-join-named", |b| {
            let (orders, users) = (orders(b), users(b));
            let store = Materialized::new();
            write(orders.join_foreign_key_with(users, user, some_plus, owner(), store));
        }),
        Program::dsl("foreign-key-join-named-materialized", |b| {
            let (orders, users) = (orders(b), users(b));
            write(orders.join_foreign_key_with(users, user, some_plus, owner(), joined_store()));
        }),
        Program::dsl("foreign-key-self-join", |b| {
            let people = table(b, "people");
            let boss = |_: &String, boss: &String| boss.clone();
            write(
                people
                    .clone()
                    .left_join_foreign_key(people, boss, |mine, other| {
                        format!("{mine}<{}", other.map_or("null", String::as_str))
                    }),
            );
        }),
        Program::dsl("foreign-key-join-twice", |b| {
            let users = users(b);
            let once = orders(b).join_foreign_key_with(
                users,
                user,
                some_plus,
                TableJoined::new(),
                Materialized::new().with_value_serde(Utf8Lossy),
            );
            let place = |_: &String, value: &String| {
                let name = value.find('+').map_or(0, |plus| plus + 1);
                value[name..].to_owned()
            };
            write(once.left_join_foreign_key(table(b, "places"), place, left_plus));
        }),
    ]
}

#[test]
fn tables_are_joined_by_foreign_keys_as_on_the_jvm() {
    check(&foreign_programs(), &[]);
}
