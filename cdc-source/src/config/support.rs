//! Keys that are known but do not do here what they do on the JVM.

use super::settings::Settings;

/// Keys that would change what is captured or sent, with the values that ask for nothing. Any
/// other value is refused.
const REFUSED: &[(&str, &[&str])] = &[
    ("column.propagate.source.type", &[]),
    ("datatype.propagate.source.type", &[]),
    ("converters", &[]),
    ("post.processors", &[]),
    ("predicates", &[]),
    ("sourceinfo.struct.maker", &[]),
    ("snapshot.select.statement.overrides", &[]),
    ("snapshot.mode.custom.name", &[]),
    ("snapshot.locking.mode.custom.name", &[]),
    ("snapshot.query.mode.custom.name", &[]),
    ("snapshot.locking.mode", &["none"]),
    ("snapshot.query.mode", &["select_all"]),
    ("signal.data.collection", &[]),
    ("signal.kafka.topic", &[]),
    ("notification.enabled.channels", &[]),
    ("replica.identity.autoset.values", &[]),
    ("provide.transaction.metadata", &["false"]),
    ("include.schema.comments", &["false"]),
    ("include.unknown.datatypes", &["true", "false"]),
    ("hstore.handling.mode", &["json"]),
    ("interval.handling.mode", &["numeric"]),
    ("schema.name.adjustment.mode", &["none"]),
    ("field.name.adjustment.mode", &["none"]),
    ("table.ignore.builtin", &["true"]),
    ("read.only", &["false"]),
    ("xmin.fetch.interval.ms", &["0"]),
    ("message.prefix.include.list", &[]),
    ("message.prefix.exclude.list", &[]),
    ("offset.mismatch.strategy", &["no_validation"]),
    ("lsn.flush.mode", &["connector"]),
    ("flush.lsn.source", &["true"]),
    ("transaction.boundary", &["poll"]),
    ("exactly.once.support", &["required", "requested"]),
    ("errors.tolerance", &["none"]),
    (
        "header.converter",
        &["org.apache.kafka.connect.storage.SimpleHeaderConverter"],
    ),
    (
        "topic.naming.strategy",
        &[
            "io.debezium.schema.SchemaTopicNamingStrategy",
            "io.debezium.schema.DefaultTopicNamingStrategy",
        ],
    ),
    ("database.sslfactory", &[]),
    ("database.sslpassword", &[]),
    ("database.include.list", &[]),
    ("database.exclude.list", &[]),
    ("queue.provider.type", &["memory"]),
];

/// Beginnings of keys that are refused whatever their value.
const REFUSED_PREFIXES: &[&str] = &[
    "column.mask.",
    "column.truncate.",
    "snapshot.select.statement.overrides.",
    "predicates.",
];

/// Keys without an effect here, of which nothing is lost: what they tune has no counterpart, or
/// they belong to other connectors or to the worker.
const WITHOUT_EFFECT: &[&str] = &[
    "config.action.reload",
    "incremental.snapshot.chunk.size",
    "incremental.snapshot.watermarking.strategy",
    "incremental.snapshot.allow.schema.changes",
    "signal.enabled.channels",
    "signal.poll.interval.ms",
    "money.fraction.digits",
    "schema.refresh.mode",
    "topic.cache.size",
    "topic.transaction",
    "transaction.metadata.factory",
    "query.fetch.size",
    "poll.dispatch.interval.ms",
    "snapshot.max.threads.multiplier",
    "snapshot.tables.order.by.row.count",
    "legacy.snapshot.max.threads",
    "connection.validation.timeout.ms",
    "executor.shutdown.timeout.ms",
    "lsn.flush.timeout.ms",
    "lsn.flush.timeout.action",
    "custom.metric.tags",
    "custom.sanitize.pattern",
    "statistics.metrics.enabled",
    "guardrail.collections.max",
    "guardrail.collections.limit.action",
    "include.schema.changes",
    "errors.retry.timeout",
    "errors.retry.delay.max.ms",
    "errors.log.enable",
    "errors.log.include.messages",
];

/// Beginnings of such keys. The schema history is of connectors that, unlike Postgres's, have to
/// remember their tables' shapes.
const WITHOUT_EFFECT_PREFIXES: &[&str] = &[
    "schema.history.internal.",
    "database.history.",
    "internal.",
    "openlineage.",
    "topic.creation.",
    "offset.",
    "memory.management.",
    "snapshot.mode.configuration.based.",
];

/// Refuses what is not supported, and warns of what nobody has read.
pub(super) fn check_rest(settings: &mut Settings) {
    // One task does the work, whatever the number; but it has to be one.
    settings.number::<u32>("tasks.max", 1, 1..);
    for (key, harmless) in REFUSED {
        let Some(value) = settings.text(key) else {
            continue;
        };
        if !harmless
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&value))
        {
            settings.mistake(match harmless {
                [] => format!("`{key}` is not supported"),
                _ => format!(
                    "`{key}` is `{value}`, which is not supported ({} is)",
                    harmless.join(", ")
                ),
            });
        }
    }
    for prefix in REFUSED_PREFIXES {
        for (key, _) in settings.with_prefix(prefix) {
            settings.mistake(format!("`{key}` is not supported"));
        }
    }
    let mut without_effect = Vec::new();
    let mut unknown = Vec::new();
    for key in settings.unread() {
        let is_known = WITHOUT_EFFECT.contains(&key.as_str())
            || WITHOUT_EFFECT_PREFIXES
                .iter()
                .any(|prefix| key.starts_with(prefix));
        if is_known {
            &mut without_effect
        } else {
            &mut unknown
        }
        .push(format!("`{key}`"));
    }
    if !without_effect.is_empty() {
        settings.warn(format!(
            "without effect here: {}",
            without_effect.join(", ")
        ));
    }
    if !unknown.is_empty() {
        settings.warn(format!("not known, and ignored: {}", unknown.join(", ")));
    }
}
