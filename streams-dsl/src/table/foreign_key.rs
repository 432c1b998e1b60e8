//! Tables joined with tables by a foreign key (KIP-213).

use std::sync::Arc;

use streams_core::serde::SharedSerde;

use crate::option::{Materialized, TableJoined};
use crate::plan::{Names, Naming, Node, part};
use crate::table::foreign_key_node::{ForeignKeyParts, JoinRow, fk_part};
use crate::table::source::table_node;
use crate::table::{KTable, StoreDefinition};

impl<K: Clone + 'static, V: 'static> KTable<K, V> {
    /// Joins each row with the row of another table that it points at: `extract` makes that row's
    /// key of the row's key and value, or `None` for nothing. Many rows may point at one; a change
    /// of either side changes the result.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// // The value of an order is the key of its user.
    /// let named = builder.table(&orders).join_foreign_key(
    ///     builder.table(&users),
    ///     |_, user| user.clone(),
    ///     |user, name| format!("{name} ({user})"),
    /// );
    /// named.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&orders, &"7".into(), &"u1".into(), 0)?;
    /// driver.pipe(&users, &"u1".into(), &"ada".into(), 1)?;
    /// assert_eq!(driver.read_all(&out), [("7".into(), Some("ada (u1)".into()))]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// What `extract` gives must be a key of the other table:
    ///
    /// ```compile_fail,E0277
    /// # use streams_dsl::{StreamsBuilder, Topic, serde::{I64, Utf8}};
    /// # let builder = StreamsBuilder::new();
    /// let orders = builder.table(&Topic::<String, String>::new("orders", Utf8, Utf8));
    /// let users = builder.table(&Topic::<i64, String>::new("users", I64, Utf8));
    /// orders.join_foreign_key(users, |_, user| user.clone(), |user, name| format!("{user}{name}"));
    /// ```
    pub fn join_foreign_key<KO, V2, VO, X, R, F>(
        self,
        other: KTable<KO, V2>,
        extract: X,
        join: F,
    ) -> KTable<K, VO>
    where
        X: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KO>>,
        F: Fn(&V, &V2) -> VO + Send + Sync + 'static,
        KO: 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: &V, right: &V2| Some(join(left, right));
        let options = (TableJoined::new(), Materialized::new());
        self.join_foreign_key_with(other, extract, join, options.0, options.1)
    }

    /// As [`KTable::join_foreign_key`], with names and partitioners, and with the result in a store
    /// of its own, if that has a name; `None` deletes the row.
    pub fn join_foreign_key_with<KO, V2, VO, X, R, F>(
        self,
        other: KTable<KO, V2>,
        extract: X,
        join: F,
        joined: TableJoined<K, KO>,
        materialized: impl Into<Materialized<K, VO>>,
    ) -> KTable<K, VO>
    where
        X: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KO>>,
        F: Fn(&V, &V2) -> Option<VO> + Send + Sync + 'static,
        KO: 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: &V, right: Option<&V2>| join(left, right?);
        let options = (false, joined, materialized.into());
        self.joined_by_foreign_key(other, extract, join, options)
    }

    /// As [`KTable::join_foreign_key`], where a row that points at nothing, or at nothing that is
    /// there, is joined with `None`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// let named = builder.table(&orders).left_join_foreign_key(
    ///     builder.table(&users),
    ///     |_, user| user.clone(),
    ///     |user, name| name.unwrap_or(user).clone(),
    /// );
    /// named.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&orders, &"7".into(), &"u1".into(), 0)?;
    /// driver.pipe(&users, &"u1".into(), &"ada".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("7".into(), Some("u1".into()))));
    /// assert_eq!(driver.read(&out), Some(("7".into(), Some("ada".into()))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn left_join_foreign_key<KO, V2, VO, X, R, F>(
        self,
        other: KTable<KO, V2>,
        extract: X,
        join: F,
    ) -> KTable<K, VO>
    where
        X: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KO>>,
        F: Fn(&V, Option<&V2>) -> VO + Send + Sync + 'static,
        KO: 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: &V, right: Option<&V2>| Some(join(left, right));
        let options = (TableJoined::new(), Materialized::new());
        self.left_join_foreign_key_with(other, extract, join, options.0, options.1)
    }

    /// As [`KTable::left_join_foreign_key`], with names and partitioners, and with the result in a
    /// store of its own, if that has a name; `None` deletes the row.
    pub fn left_join_foreign_key_with<KO, V2, VO, X, R, F>(
        self,
        other: KTable<KO, V2>,
        extract: X,
        join: F,
        joined: TableJoined<K, KO>,
        materialized: impl Into<Materialized<K, VO>>,
    ) -> KTable<K, VO>
    where
        X: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KO>>,
        F: Fn(&V, Option<&V2>) -> Option<VO> + Send + Sync + 'static,
        KO: 'static,
        V2: 'static,
        VO: 'static,
    {
        let options = (true, joined, materialized.into());
        self.joined_by_foreign_key(other, extract, join, options)
    }

    fn joined_by_foreign_key<KO, V2, VO, X, R>(
        self,
        other: KTable<KO, V2>,
        extract: X,
        join: impl JoinRow<V, V2, VO>,
        (is_left, joined, materialized): (bool, TableJoined<K, KO>, Materialized<K, VO>),
    ) -> KTable<K, VO>
    where
        X: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KO>>,
        KO: 'static,
        V2: 'static,
        VO: 'static,
    {
        let definition = StoreDefinition::new(materialized, self.key.clone(), None);
        let naming = naming(joined.name, definition.materialized.name.clone());
        let parts = ForeignKeyParts {
            is_left,
            key: self.key.clone(),
            value: self.value.clone(),
            foreign_key: other.key.clone(),
            foreign_value: other.value.clone(),
            rows: Arc::clone(&self.getter),
            foreign_rows: Arc::clone(&other.getter),
            foreign_node: other.node,
            partitioner: joined.partitioner,
            other_partitioner: joined.other_partitioner,
            extract: Arc::new(move |key: &K, value: &V| extract(key, value).into()),
            join: Arc::new(join),
        };
        let mut plan = self.builder.plan();
        if !self.builder.is(&other.builder) {
            plan.add_mistake("tables of different builders cannot be joined".to_owned());
        }
        plan.enable_sending_old_values(other.node, true);
        plan.enable_sending_old_values(self.node, true);
        plan.make_readable(other.node);
        plan.make_readable(self.node);
        let operator = plan.name(naming);
        let parents = vec![self.node, other.node];
        let node = Node::of_part(operator.part(fk_part::RESOLVER), parents, move |lowering| {
            parts.lower(lowering)
        });
        let node = plan.add(node.with_own_source(fk_part::RESPONSE_SOURCE));
        drop(plan);
        KTable::add(&self.builder, table_node(operator, node, definition, None))
    }
}

/// Names a foreign-key join; each of its parts has the name of the join and a suffix.
fn naming(name: Option<Arc<str>>, store: Option<Arc<str>>) -> Naming {
    const REGISTRATION: &str = "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-";
    const STORE: &str = "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-";
    const PROCESSOR: &str = "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-";
    const RESPONSE: &str = "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-";
    const RESOLVER: &str = "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-";
    const OUTPUT: &str = "KTABLE-FK-JOIN-OUTPUT-";
    const SINK: &str = "KTABLE-SINK-";
    const SOURCE: &str = "KTABLE-SOURCE-";
    /// Parts in the order in which they take their numbers, with suffixes and prefixes.
    const PARTS: [(&str, &str, &str); 13] = [
        (fk_part::TOPIC, "-subscription-registration", REGISTRATION),
        (
            fk_part::SEND,
            "-subscription-registration-processor",
            REGISTRATION,
        ),
        (fk_part::SINK, "-subscription-registration-sink", SINK),
        (fk_part::SOURCE, "-subscription-registration-source", SOURCE),
        (fk_part::STORE, "-subscription-store", STORE),
        (fk_part::RECEIVE, "-subscription-receive", PROCESSOR),
        (fk_part::JOIN, "-subscription-join-foreign", PROCESSOR),
        (fk_part::FOREIGN, "-foreign-join-subscription", PROCESSOR),
        (fk_part::RESPONSE, "-subscription-response", RESPONSE),
        (fk_part::RESPONSE_SINK, "-subscription-response-sink", SINK),
        (
            fk_part::RESPONSE_SOURCE,
            "-subscription-response-source",
            SOURCE,
        ),
        (
            fk_part::RESOLVER,
            "-subscription-response-resolver",
            RESOLVER,
        ),
        (part::NODE, "-result", OUTPUT),
    ];
    Naming::Script(Box::new(move |namer, given| {
        let given = name.as_ref().or(given);
        let names = PARTS
            .iter()
            .fold(Names::default(), |names, (part, suffix, prefix)| {
                let mut name = namer.suffixed_or(given, suffix, prefix);
                if [fk_part::TOPIC, fk_part::RESPONSE].contains(part) {
                    name = format!("{name}-topic").into();
                }
                names.with(part, name)
            });
        names.with(part::STORE, namer.store_or(store.as_ref(), OUTPUT))
    }))
}

/// A serde, if it is known.
pub(super) type Known<T> = Option<SharedSerde<T>>;
