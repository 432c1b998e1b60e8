use super::*;
use crate::postgres::pgoutput::RelationColumn;

fn column(name: &str, nullable: bool) -> Column {
    Column {
        name: name.into(),
        type_oid: 23,
        type_modifier: -1,
        type_name: "int4".into(),
        nullable,
        default_expression: None,
    }
}

fn table(columns: &[(&str, bool)]) -> Table {
    Table {
        schema: "public".into(),
        name: "users".into(),
        columns: columns
            .iter()
            .map(|(name, nullable)| column(name, *nullable))
            .collect(),
        key_columns: Vec::new(),
        replica_identity: ReplicaIdentity::Default,
    }
}

fn relation(columns: &[(&str, bool)]) -> Relation {
    let columns = columns.iter().map(|(name, is_identity)| RelationColumn {
        is_identity: *is_identity,
        name: (*name).into(),
        type_oid: 23,
        type_modifier: -1,
    });
    Relation {
        id: 1,
        schema: "public".into(),
        name: "users".into(),
        replica_identity: ReplicaIdentity::Default,
        columns: columns.collect(),
    }
}

fn index(columns: &[&str]) -> UniqueIndex {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    UniqueIndex {
        table: 1,
        index: 2,
        columns,
    }
}

#[test]
fn the_key_is_the_primary_key_in_its_own_order() {
    let mut users = table(&[("a", false), ("b", false), ("c", true)]);
    index(&["b", "a"]).apply(&mut users);
    index(&["a"]).apply(&mut users);
    assert_eq!(users.key_columns, [1, 0]);
}

#[test]
fn without_a_primary_key_the_first_unique_index_is_the_key_even_of_columns_that_may_be_null() {
    let mut users = table(&[("a", true), ("b", false)]);
    index(&["computed"]).apply(&mut users);
    assert!(users.key_columns.is_empty());
    index(&["a"]).apply(&mut users);
    index(&["b"]).apply(&mut users);
    assert_eq!(users.key_columns, [0]);
}

#[test]
fn a_relation_keeps_its_order_and_takes_the_rest_from_the_catalogue() {
    let mut known = table(&[("id", false), ("name", true), ("added", true)]);
    known.key_columns = vec![0];
    known.columns[1].default_expression = Some("'x'::text".into());
    let merged = merge(&known, &relation(&[("name", false), ("id", true)]));
    assert_eq!(merged.columns.len(), 2);
    assert_eq!(
        merged.columns[0].default_expression.as_deref(),
        Some("'x'::text")
    );
    assert!(merged.columns[0].nullable && !merged.columns[1].nullable);
    assert_eq!(merged.key_columns, [1]);
}

#[test]
fn a_dropped_table_is_keyed_by_its_replica_identity() {
    let merged = merge(&table(&[]), &relation(&[("id", true), ("name", false)]));
    assert_eq!(merged.key_columns, [0]);
    assert!(merged.columns[1].nullable);
}

#[test]
fn a_changed_column_is_another_shape() {
    let known = table(&[("id", false), ("name", true)]);
    assert!(is_same_shape(
        &known,
        &relation(&[("id", true), ("name", false)])
    ));
    assert!(!is_same_shape(&known, &relation(&[("id", true)])));
    assert!(!is_same_shape(
        &known,
        &relation(&[("id", true), ("title", false)])
    ));
}
