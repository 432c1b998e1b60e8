//! GlobalTable.java: tables that every instance holds whole, and streams joined with them.

use streams_dsl::serde::{I64, Utf8Lossy};
use streams_dsl::{GlobalKTable, KStream, Materialized, StreamsBuilder, Topic};

use crate::program::{Program, check};
use crate::text::{TEXT, Text, stream};

fn orders(builder: &StreamsBuilder) -> KStream<Text, String> {
    stream(builder, "orders").skip_null_values()
}

fn users_topic() -> Topic<String, String> {
    Topic::new("users", Utf8Lossy, Utf8Lossy)
}

fn users(builder: &StreamsBuilder) -> GlobalKTable<String, String> {
    builder.global_table(&users_topic())
}

fn out() -> Topic<Text, String> {
    Topic::new("out", TEXT, Utf8Lossy)
}

#[allow(clippy::ptr_arg, reason = "the shape of a selector")]
fn user(_: &Text, order: &String) -> String {
    order.clone()
}

fn plus(order: String, user: String) -> String {
    order + "+" + &user
}

fn plus_null(order: String, user: Option<String>) -> String {
    plus(order, user.unwrap_or_else(|| "null".to_owned()))
}

fn shown(key: &Text) -> &str {
    key.as_deref().unwrap_or("null")
}

pub(crate) fn programs() -> Vec<Program> {
    vec![
        Program::dsl("global-table", |b| {
            users(b);
        }),
        Program::dsl("global-table-named-store", |b| {
            b.global_table_as(&users_topic(), Materialized::named("people"));
        }),
        Program::dsl("global-table-consumed", |b| {
            drop(users(b).named("read-users"));
        }),
        Program::dsl("global-table-serdes", |b| {
            let users = Topic::<i64, String>::new("users", I64, Utf8Lossy);
            b.global_table_as(&users, Materialized::named("people"));
        }),
        Program::dsl("global-join", |b| {
            orders(b).join_global(&users(b), user, plus).to(&out());
        }),
        Program::dsl("global-join-named", |b| {
            let joined = orders(b).join_global(&users(b), user, plus);
            joined.named("enrich").to(&out());
        }),
        Program::dsl("global-join-with-key", |b| {
            let joined = orders(b).join_global_with_key(&users(b), user, |key, order, user| {
                format!("{}:{}", shown(key), plus(order, user))
            });
            joined.to(&out());
        }),
        Program::dsl("global-left-join", |b| {
            let joined = orders(b).left_join_global(&users(b), user, plus_null);
            joined.to(&out());
        }),
        Program::dsl("global-left-join-with-key", |b| {
            let joined = orders(b);
            let joined = joined.left_join_global_with_key(&users(b), user, |key, order, user| {
                format!("{}:{}", shown(key), plus_null(order, user))
            });
            joined.to(&out());
        }),
        Program::dsl("global-join-by-key", |b| {
            let joined = orders(b).join_global(&users(b), |key, _| key.clone(), plus);
            joined.to(&out());
        }),
        Program::dsl("global-two-tables", |b| {
            let (orders, users) = (orders(b), users(b));
            let goods = Topic::<String, String>::new("products", Utf8Lossy, Utf8Lossy);
            let goods = b.global_table_as(&goods, Materialized::named("goods"));
            let joined = orders.join_global(&users, user, |order, user| order + &user);
            let joined = joined.join_global(&goods, |key, _| key.clone(), |one, two| one + &two);
            joined.to(&out());
        }),
    ]
}

#[test]
fn global_tables_are_joined_as_on_the_jvm() {
    check(&programs(), &[]);
}
