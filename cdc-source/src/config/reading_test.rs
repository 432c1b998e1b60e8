use super::*;

/// The connector of the guide, as it stands there.
const GUIDE: &str = r#"{
"name": "postgres-connector",
"config": {
"connector.class": "io.debezium.connector.postgresql.PostgresConnector",
"database.hostname": "localhost",
"database.port": "5432",
"database.user": "replicator",
"database.password": "replicator_password",
"database.dbname": "mydb",
"database.server.name": "postgres-server",
"table.include.list": "public.users,public.orders,public.products",
"publication.name": "cdc_publication",
"slot.name": "debezium_slot",
"plugin.name": "pgoutput",
"schema.history.internal.kafka.bootstrap.servers": "localhost:9092",
"schema.history.internal.kafka.topic": "schema-changes.postgres-server",
"transforms": "unwrap,route",
"transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
"transforms.unwrap.drop.tombstones": "false",
"transforms.unwrap.delete.handling.mode": "drop",
"transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
"transforms.route.regex": "([^.]+)\\.([^.]+)\\.([^.]+)",
"transforms.route.replacement": "$3"
}
}"#;

/// The least that a connector needs, and what is put on top of it.
fn connector(settings: &[(&str, &str)]) -> String {
    let mut map = serde_json::Map::new();
    for (key, value) in [
        ("name", "c"),
        (
            "connector.class",
            "io.debezium.connector.postgresql.PostgresConnector",
        ),
        ("topic.prefix", "server"),
        ("database.hostname", "localhost"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ]
    .iter()
    .chain(settings)
    {
        map.insert((*key).to_owned(), (*value).into());
    }
    serde_json::Value::Object(map).to_string()
}

fn read(settings: &[(&str, &str)]) -> ConnectorConfig {
    ConnectorConfig::from_json(&connector(settings)).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    ConnectorConfig::from_json(text).unwrap_err().mistakes
}

#[test]
fn the_guides_connector_is_accepted_as_it_is() {
    let config = ConnectorConfig::from_json(GUIDE).unwrap();
    assert_eq!(config.name, "postgres-connector");
    assert_eq!(config.topic_prefix, "postgres-server");
    assert_eq!(config.database.port, 5432);
    assert_eq!(config.slot.name, "debezium_slot");
    assert_eq!(config.publication.name, "cdc_publication");
    assert!(config.tables.includes("public", "users"));
    assert!(!config.tables.includes("public", "audit"));
    let [
        TransformConfig::Extract(extract),
        TransformConfig::Route(route),
    ] = &*config.transforms
    else {
        panic!("two transforms: {:?}", config.transforms)
    };
    assert_eq!(extract.deleted_row, DeletedRow::Drop);
    assert!(extract.keeps_tombstones);
    assert_eq!(
        route.apply("postgres-server.public.users").as_deref(),
        Some("users")
    );
    assert_eq!(route.apply("__debezium-heartbeat.postgres-server"), None);
    let warnings = config.warnings.join("\n");
    for key in [
        "database.server.name",
        "delete.handling.mode",
        "schema.history.internal",
    ] {
        assert!(warnings.contains(key), "{key} is not in {warnings}");
    }
}

#[test]
fn a_bare_map_of_settings_takes_debeziums_defaults() {
    let config = read(&[]);
    assert_eq!(config.slot.name, "debezium");
    assert_eq!(config.publication.name, "dbz_publication");
    assert_eq!(
        config.publication.autocreate,
        PublicationAutocreate::AllTables
    );
    assert_eq!(config.snapshot.mode, SnapshotMode::Initial);
    assert_eq!(config.values.decimal, DecimalHandling::Precise);
    assert_eq!(
        config.values.unavailable_placeholder,
        b"__debezium_unavailable_value"
    );
    assert!(config.tombstones_on_delete && config.extended_headers);
    assert!(config.skipped_operations.truncate && !config.skipped_operations.delete);
    assert_eq!(config.errors_max_retries, None);
    assert_eq!(config.heartbeat.interval_ms, 0);
    assert_eq!(config.heartbeat.topic, "__debezium-heartbeat.server");
    assert!(config.key_converter.schemas_enable && config.value_converter.schemas_enable);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn all_mistakes_are_reported_together_each_with_its_key() {
    let found = mistakes(
        r#"{"name": "c", "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "plugin.name": "decoderbufs", "topic.prefix": "a b", "database.port": "70000",
            "slot.name": "Slot", "snapshot.mode": "sometimes", "tombstones.on.delete": "yes",
            "table.include.list": "public.(", "table.exclude.list": "x",
            "skipped.operations": "x", "value.converter": "io.confluent.connect.avro.AvroConverter",
            "column.mask.with.5.chars": "public.users.email",
            "transforms": "a,b,c", "transforms.a.type": "org.example.Custom",
            "transforms.b.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.b.regex": "(", "transforms.b.predicate": "p"}"#,
    );
    for key in [
        "connector.class",
        "plugin.name",
        "topic.prefix",
        "database.hostname",
        "database.user",
        "database.dbname",
        "database.port",
        "slot.name",
        "snapshot.mode",
        "tombstones.on.delete",
        "table.include.list",
        "table.exclude.list",
        "skipped.operations",
        "value.converter",
        "column.mask.with.5.chars",
        "transforms.a.type",
        "transforms.b.regex",
        "transforms.b.predicate",
        "transforms.c.type",
    ] {
        let named = format!("`{key}`");
        assert!(
            found.iter().any(|mistake| mistake.contains(&named)),
            "{key}: {found:#?}"
        );
    }
    let message = ConfigError { mistakes: found }.to_string();
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn what_is_no_json_object_is_refused_without_a_panic() {
    for text in [
        "",
        "[]",
        "null",
        "{",
        "\"x\"",
        r#"{"name": 1, "config": {}}"#,
    ] {
        assert!(!mistakes(text).is_empty(), "{text}");
    }
    let found = mistakes(r#"{"name": "a", "config": {"name": "b", "tasks.max": [1]}}"#);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn numbers_and_booleans_count_as_text() {
    let text = connector(&[]).replace(
        "\"u\"",
        "\"u\", \"database.port\": 5433, \
        \"tombstones.on.delete\": false, \"table.include.list\": null",
    );
    let config = ConnectorConfig::from_json(&text).unwrap();
    assert_eq!(config.database.port, 5433);
    assert!(!config.tombstones_on_delete);
    assert!(!config.tables.is_restricted);
}

#[test]
fn unknown_keys_are_warned_of_once() {
    let config = read(&[("no.such.key", "x"), ("another", "y")]);
    let [warning] = &*config.warnings else {
        panic!("{:?}", config.warnings)
    };
    assert!(
        warning.contains("no.such.key") && warning.contains("another"),
        "{warning}"
    );
}

#[test]
fn a_password_is_never_printed() {
    let config = read(&[("database.password", "hunter2")]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn table_filters_match_whole_names_in_any_case() {
    let config = read(&[("table.include.list", r"PUBLIC\.user.*, other.t")]);
    assert!(config.tables.includes("public", "users"));
    assert!(config.tables.includes("other", "t"));
    assert!(!config.tables.includes("xpublic", "users"));
    assert!(!config.tables.includes("other", "tt"));
    assert!(!read(&[]).tables.includes("pg_catalog", "pg_class"));
    let excluded = read(&[("schema.exclude.list", "private")]);
    assert!(excluded.tables.includes("public", "t") && !excluded.tables.includes("private", "t"));
}

#[test]
fn the_new_name_of_delete_handling_wins_over_the_old_one() {
    let config = read(&[
        ("transforms", "u"),
        (
            "transforms.u.type",
            "io.debezium.transforms.ExtractNewRecordState",
        ),
        ("transforms.u.delete.handling.mode", "drop"),
        (
            "transforms.u.delete.tombstone.handling.mode",
            "rewrite-with-tombstone",
        ),
    ]);
    let [TransformConfig::Extract(extract)] = &*config.transforms else {
        panic!()
    };
    assert_eq!(extract.deleted_row, DeletedRow::Rewrite);
    assert!(extract.keeps_tombstones);
}

#[test]
fn added_fields_take_their_prefix_and_their_new_names() {
    let config = read(&[
        ("transforms", "u"),
        (
            "transforms.u.type",
            "io.debezium.transforms.ExtractNewRecordState",
        ),
        (
            "transforms.u.add.fields",
            "op, source.ts_ms ,source.lsn:POSITION",
        ),
        ("transforms.u.add.headers", "table"),
        ("transforms.u.add.headers.prefix", ""),
    ]);
    let [TransformConfig::Extract(extract)] = &*config.transforms else {
        panic!()
    };
    let names: Vec<&str> = extract
        .add_fields
        .iter()
        .map(|field| &*field.new_name)
        .collect();
    assert_eq!(names, ["__op", "__source_ts_ms", "__POSITION"]);
    assert_eq!(extract.add_headers[0].new_name, "table");
}

#[test]
fn what_connect_would_replace_or_refuse_is_refused() {
    let found = mistakes(&connector(&[
        ("database.password", "${file:/secrets:password}"),
        ("topic.heartbeat.name", "a-${b}"),
    ]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`database.password`") && !found[0].contains("secrets"));
    let found = mistakes(&connector(&[
        ("tasks.max", "0"),
        ("transforms", "r,r"),
        (
            "transforms.r.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.r.regex", "x"),
    ]));
    for text in [
        "`tasks.max`",
        "`transforms` names `r` twice",
        "`transforms.r.replacement`",
    ] {
        assert!(
            found.iter().any(|mistake| mistake.contains(text)),
            "{text}: {found:?}"
        );
    }
    let config = read(&[("snapshot.mode", "never")]);
    assert_eq!(config.snapshot.mode, SnapshotMode::NoData);
    assert_eq!(config.warnings.len(), 1);
}

#[test]
fn statements_split_at_single_semicolons() {
    let config = read(&[("database.initial.statements", "SET a = 1; SELECT ';;' ;")]);
    assert_eq!(
        config.database.initial_statements,
        ["SET a = 1", "SELECT ';'"]
    );
}

#[test]
fn a_router_replaces_the_first_match_within_a_matching_name() {
    let config = read(&[
        ("transforms", "r"),
        (
            "transforms.r.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.r.regex", "a|ab"),
        ("transforms.r.replacement", "x"),
    ]);
    let [TransformConfig::Route(route)] = &*config.transforms else {
        panic!()
    };
    assert_eq!(route.apply("ab").as_deref(), Some("xb"));
    assert_eq!(route.apply("abc"), None);
}
