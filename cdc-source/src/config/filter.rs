//! Which tables and columns are captured, and by which columns a table is keyed.

use regex::Regex;

/// `schema.include.list`, `schema.exclude.list`, `table.include.list`, `table.exclude.list`.
#[derive(Debug, Clone, Default)]
pub struct TableFilter {
    pub(super) schema_include: Vec<Regex>,
    pub(super) schema_exclude: Vec<Regex>,
    pub(super) table_include: Vec<Regex>,
    pub(super) table_exclude: Vec<Regex>,
    /// True if any include or exclude list was given for tables or schemas.
    pub is_restricted: bool,
}

/// `column.include.list` and `column.exclude.list`.
#[derive(Debug, Clone, Default)]
pub struct ColumnFilter {
    pub(super) include: Vec<Regex>,
    pub(super) exclude: Vec<Regex>,
}

/// One column expression of `message.key.columns`.
#[derive(Debug, Clone)]
pub struct KeyPattern {
    /// Matches `schema.table.column` as a whole.
    pub(super) column: Regex,
}

fn any(patterns: &[Regex], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.is_match(name))
}

impl TableFilter {
    /// Whether a table is captured. Postgres's own schemas never are.
    pub fn includes(&self, schema: &str, table: &str) -> bool {
        if schema == "pg_catalog"
            || schema == "information_schema"
            || schema.starts_with("pg_toast")
        {
            return false;
        }
        let qualified = format!("{schema}.{table}");
        (self.schema_include.is_empty() || any(&self.schema_include, schema))
            && !any(&self.schema_exclude, schema)
            && (self.table_include.is_empty() || any(&self.table_include, &qualified))
            && !any(&self.table_exclude, &qualified)
    }
}

impl TableFilter {
    /// The entries of `table.include.list` that name one table, `schema.table`, without a pattern.
    pub fn literal_tables(&self) -> Vec<String> {
        let literal = |pattern: &Regex| {
            let text = pattern.as_str().strip_prefix("^(?:")?.strip_suffix(")$")?;
            let text = text.replace("\\.", ".");
            let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            (text.matches('.').count() == 1 && text.chars().all(is_plain)).then_some(text)
        };
        self.table_include.iter().filter_map(literal).collect()
    }
}

impl ColumnFilter {
    /// Whether a column is part of the row's struct.
    pub fn includes(&self, schema: &str, table: &str, column: &str) -> bool {
        let qualified = format!("{schema}.{table}.{column}");
        (self.include.is_empty() || any(&self.include, &qualified))
            && !any(&self.exclude, &qualified)
    }
}

impl KeyPattern {
    /// Whether the column is part of its table's key.
    pub fn matches(&self, schema: &str, table: &str, column: &str) -> bool {
        self.column.is_match(&format!("{schema}.{table}.{column}"))
    }
}
