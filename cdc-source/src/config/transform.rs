//! `transforms.*`: what is known of each transform before any table is.

use regex::Regex;

/// One entry of `transforms`, in the order of that list.
#[derive(Debug, Clone)]
pub enum TransformConfig {
    /// `io.debezium.transforms.ExtractNewRecordState`.
    Extract(ExtractConfig),
    /// `org.apache.kafka.connect.transforms.RegexRouter`.
    Route(RouteConfig),
}

/// `delete.tombstone.handling.mode`, and what the older `delete.handling.mode` and
/// `drop.tombstones` come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeleteHandling {
    /// Neither the delete nor its tombstone leaves.
    Drop,
    /// The delete is dropped, the tombstone stays (`delete.handling.mode=drop` with
    /// `drop.tombstones=false`).
    DropKeepTombstone,
    /// The delete becomes a tombstone, the one that follows is dropped.
    #[default]
    Tombstone,
    /// The delete becomes a tombstone and the one that follows stays too
    /// (`delete.handling.mode=none` with `drop.tombstones=false`).
    TombstoneKeepTombstone,
    /// The old row with `__deleted` leaves, the tombstone is dropped.
    Rewrite,
    /// The old row with `__deleted` leaves, and the tombstone after it.
    RewriteWithTombstone,
    /// As `Tombstone`, and without the value's schema.
    DeleteToTombstone,
}

/// The settings of `ExtractNewRecordState`.
#[derive(Debug, Clone, Default)]
pub struct ExtractConfig {
    /// What becomes of deletes and tombstones.
    pub delete_handling: DeleteHandling,
    /// `route.by.field`: the column whose value names the topic.
    pub route_by_field: Option<String>,
    /// `add.fields`, with `add.fields.prefix` applied.
    pub add_fields: Vec<FieldReference>,
    /// `add.headers`, with `add.headers.prefix` applied.
    pub add_headers: Vec<FieldReference>,
    /// `replace.null.with.default` of the transform.
    pub replace_null_with_default: bool,
}

/// One entry of `add.fields` or `add.headers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldReference {
    /// The part of the envelope, as in `source.ts_ms`; `None` for a bare name.
    pub structure: Option<String>,
    /// The field's name within it.
    pub field: String,
    /// The name that it leaves under, with its prefix.
    pub new_name: String,
}

/// The settings of `RegexRouter`.
#[derive(Debug, Clone)]
pub struct RouteConfig {
    /// `regex`, anchored so that it must match the whole topic name.
    pub regex: Regex,
    /// `replacement` in the form of the [`regex`] crate.
    pub replacement: String,
}
