//! `transforms.*`: what is known of each transform before any table is.

use std::collections::BTreeSet;

use regex::Regex;

use super::pattern;
use super::replacement::Replacement;
use super::settings::Settings;

const EXTRACT: &str = "io.debezium.transforms.ExtractNewRecordState";
const ROUTE: &str = "org.apache.kafka.connect.transforms.RegexRouter";

/// One entry of `transforms`, in the order of that list.
#[derive(Debug, Clone)]
pub enum TransformConfig {
    /// `io.debezium.transforms.ExtractNewRecordState`.
    Extract(ExtractConfig),
    /// `org.apache.kafka.connect.transforms.RegexRouter`.
    Route(RouteConfig),
}

/// What `ExtractNewRecordState` makes of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeletedRow {
    /// Nothing.
    Drop,
    /// A null value that still has its schema: `JsonConverter` writes it as the text `null`.
    #[default]
    NullWithSchema,
    /// A null value: a tombstone.
    Null,
    /// The old row, with `__deleted`.
    Rewrite,
}

/// The settings of `ExtractNewRecordState`.
#[derive(Debug, Clone)]
pub struct ExtractConfig {
    /// What becomes of deletes: `delete.tombstone.handling.mode`, or the older
    /// `delete.handling.mode`.
    pub deleted_row: DeletedRow,
    /// Whether the tombstones behind deletes stay: part of `delete.tombstone.handling.mode`, or
    /// the older `drop.tombstones=false`.
    pub keeps_tombstones: bool,
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
    whole: Regex,
    first: Regex,
    replacement: Replacement,
}

impl RouteConfig {
    /// The new name of a topic; `None` if the expression does not match the whole of it.
    ///
    /// Like `RegexRouter`, this replaces the first match within the name, which is not always the
    /// whole name even where the expression can match it.
    pub fn apply(&self, topic: &str) -> Option<String> {
        if !self.whole.is_match(topic) {
            return None;
        }
        let captures = self.first.captures(topic)?;
        let matched = captures.get(0)?;
        let (head, tail) = (topic.get(..matched.start())?, topic.get(matched.end()..)?);
        Some(format!(
            "{head}{}{tail}",
            self.replacement.expand(&captures)
        ))
    }
}

/// Reads `transforms` and the settings of each of its entries.
pub(super) fn read(settings: &mut Settings) -> Vec<TransformConfig> {
    let list = settings.text_or("transforms", "");
    let mut transforms = Vec::new();
    let mut names = BTreeSet::new();
    for name in list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let key = |suffix: &str| format!("transforms.{name}.{suffix}");
        if !names.insert(name) {
            settings.mistake(format!("`transforms` names `{name}` twice"));
            continue;
        }
        for suffix in ["predicate", "negate"] {
            if settings.text(&key(suffix)).is_some() {
                settings.mistake(format!("`{}`: predicates are not supported", key(suffix)));
            }
        }
        match settings.required(&key("type")).as_str() {
            "" => {}
            EXTRACT => {
                if transforms
                    .iter()
                    .any(|t| matches!(t, TransformConfig::Extract(_)))
                {
                    settings.mistake(format!("`{}`: {EXTRACT} can stand there once", key("type")));
                }
                transforms.push(TransformConfig::Extract(read_extract(settings, &key)));
            }
            ROUTE => transforms.extend(read_route(settings, &key).map(TransformConfig::Route)),
            other => settings.mistake(format!(
                "`{}` is `{other}`, which is not supported ({EXTRACT} and {ROUTE} are)",
                key("type")
            )),
        }
    }
    transforms
}

fn read_route(settings: &mut Settings, key: &impl Fn(&str) -> String) -> Option<RouteConfig> {
    let regex = settings.required(&key("regex"));
    let replacement = settings.required_or_empty(&key("replacement"));
    let compiled = pattern::whole_match(&regex, false)
        .and_then(|whole| Ok((whole, pattern::compile(&regex, false)?)));
    let (whole, first) = match compiled {
        Ok(compiled) => compiled,
        Err(problem) => {
            settings.mistake(format!("`{}` {problem}", key("regex")));
            return None;
        }
    };
    match Replacement::parse(&replacement, &first) {
        Ok(replacement) => Some(RouteConfig {
            whole,
            first,
            replacement,
        }),
        Err(problem) => {
            settings.mistake(format!("`{}` {problem}", key("replacement")));
            None
        }
    }
}

fn read_extract(settings: &mut Settings, key: &impl Fn(&str) -> String) -> ExtractConfig {
    if settings.text(&key("drop.fields.header.name")).is_some() {
        settings.mistake(format!(
            "`{}` is not supported",
            key("drop.fields.header.name")
        ));
    }
    for without_effect in ["drop.fields.from.key", "drop.fields.keep.schema.compatible"] {
        settings.text(&key(without_effect));
    }
    let (deleted_row, keeps_tombstones) = read_delete_handling(settings, key);
    ExtractConfig {
        deleted_row,
        keeps_tombstones,
        route_by_field: settings.text(&key("route.by.field")),
        add_fields: read_references(settings, key, "add.fields"),
        add_headers: read_references(settings, key, "add.headers"),
        replace_null_with_default: settings.boolean(&key("replace.null.with.default"), true),
    }
}

/// What becomes of deletes, and whether tombstones stay.
///
/// Debezium 3.7 ignores the names that it had until 3.1; here they hold where the new one is
/// absent, with the defaults and the meaning that they had.
fn read_delete_handling(
    settings: &mut Settings,
    key: &impl Fn(&str) -> String,
) -> (DeletedRow, bool) {
    let (old_mode, old_tombstones) = (key("delete.handling.mode"), key("drop.tombstones"));
    let has_old = settings.has(&old_mode) || settings.has(&old_tombstones);
    let old_row = settings.choice(
        &old_mode,
        DeletedRow::Drop,
        &[
            ("drop", DeletedRow::Drop),
            ("rewrite", DeletedRow::Rewrite),
            ("none", DeletedRow::NullWithSchema),
        ],
    );
    let drops_tombstones = settings.boolean(&old_tombstones, true);
    let mode_key = key("delete.tombstone.handling.mode");
    let has_new = settings.has(&mode_key);
    let handling = settings.choice(
        &mode_key,
        (DeletedRow::NullWithSchema, false),
        &[
            ("drop", (DeletedRow::Drop, false)),
            ("tombstone", (DeletedRow::NullWithSchema, false)),
            ("rewrite", (DeletedRow::Rewrite, false)),
            ("rewrite-with-tombstone", (DeletedRow::Rewrite, true)),
            ("delete-to-tombstone", (DeletedRow::Null, false)),
        ],
    );
    if has_old && has_new {
        settings.warn(format!(
            "`{old_mode}` and `{old_tombstones}` are ignored, since `{mode_key}` is there"
        ));
    } else if has_old {
        settings.warn(format!(
            "`{old_mode}` and `{old_tombstones}` are the old names of `{mode_key}`"
        ));
        return (old_row, !drops_tombstones);
    }
    handling
}

/// `add.fields` and `add.headers`: `[structure.]field[:new name]`, separated by commas.
fn read_references(
    settings: &mut Settings,
    key: &impl Fn(&str) -> String,
    suffix: &str,
) -> Vec<FieldReference> {
    let prefix = settings.text_or_empty(&key(&format!("{suffix}.prefix")), "__");
    let list = settings.text_or(&key(suffix), "");
    let mut references = Vec::new();
    for entry in list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let (path, new_name) = match entry.split_once(':') {
            Some((path, name)) => (path, Some(name)),
            None => (entry, None),
        };
        let (structure, field) = match path.split_once('.') {
            Some((structure, field)) => (Some(structure), field),
            None => (None, path),
        };
        let is_whole_structure =
            structure.is_none() && ["before", "after", "source", "transaction"].contains(&field);
        if is_whole_structure
            || !matches!(structure, None | Some("source" | "transaction"))
            || new_name.is_some_and(|name| name.contains(':'))
        {
            settings.mistake(format!(
                "`{}`: `{entry}` is no field of `source`, `transaction` or the envelope itself",
                key(suffix)
            ));
            continue;
        }
        let own_name = structure.map_or_else(|| field.to_owned(), |part| format!("{part}_{field}"));
        references.push(FieldReference {
            structure: structure.map(str::to_owned),
            field: field.to_owned(),
            new_name: format!("{prefix}{}", new_name.unwrap_or(&own_name)),
        });
    }
    references
}
