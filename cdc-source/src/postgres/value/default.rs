//! Column defaults: what Debezium makes of `pg_get_expr` (`PostgresDefaultValueConverter`).
//!
//! Expressions are not evaluated. A literal is taken, a function call becomes the type's zero,
//! anything else is no default.

use super::oid;

/// Keywords that Postgres prints for the calls of the SQL standard without parentheses.
const CURRENT_MOMENTS: [&str; 5] = [
    "current_timestamp",
    "current_time",
    "current_date",
    "localtime",
    "localtimestamp",
];

/// The default's text in the form that Postgres prints the type's values in; `None` if the schema
/// gets no default.
pub(super) fn default_text(type_oid: u32, expression: &str) -> Option<String> {
    let placeholder = match type_oid {
        oid::BOOL => "false",
        oid::INT2 | oid::INT4 | oid::INT8 => "0",
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => "0.0",
        oid::BPCHAR | oid::VARCHAR | oid::TEXT => "",
        oid::JSON | oid::JSONB => "{}",
        oid::UUID => "00000000-0000-0000-0000-000000000000",
        oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ => "1970-01-01",
        oid::TIME => "00:00",
        _ => return None,
    };
    let is_textual = matches!(
        type_oid,
        oid::BPCHAR | oid::VARCHAR | oid::TEXT | oid::JSON | oid::JSONB
    );
    let expression = if is_textual {
        expression
    } else {
        expression.trim()
    };
    if is_function_call(expression)
        || CURRENT_MOMENTS
            .iter()
            .any(|moment| expression.eq_ignore_ascii_case(moment))
    {
        return Some(placeholder.to_owned());
    }
    let literal = literal_text(expression)?;
    Some(match type_oid {
        oid::BOOL => literal.eq_ignore_ascii_case("true").to_string(),
        oid::UUID => literal.to_ascii_lowercase(),
        oid::INT2 => literal.parse::<i16>().ok()?.to_string(),
        oid::INT4 => literal.parse::<i32>().ok()?.to_string(),
        oid::INT8 => literal.parse::<i64>().ok()?.to_string(),
        // Debezium's arithmetic wraps around here; there is no value to agree on.
        oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ if literal.ends_with("infinity") => {
            return None;
        }
        _ => literal,
    })
}

/// Whether the expression starts with a call: `^[(]?[A-Za-z0-9_.]+\(.*\)`.
fn is_function_call(expression: &str) -> bool {
    let expression = expression.strip_prefix('(').unwrap_or(expression);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let name_length = expression.find(|c| !is_name(c)).unwrap_or(expression.len());
    let (name, rest) = expression.split_at(name_length);
    !name.is_empty() && rest.starts_with('(') && rest.contains(')')
}

/// What stands in the first pair of quotes, or the expression itself if it has none.
fn literal_text(expression: &str) -> Option<String> {
    let Some((_, quoted)) = expression.split_once('\'') else {
        return (!expression.starts_with("NULL::")).then(|| expression.to_owned());
    };
    let mut literal = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'')?;
        literal.push_str(part);
        match after.strip_prefix('\'') {
            Some(continued) => {
                literal.push('\'');
                rest = continued;
            }
            None => return Some(literal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_taken_out_of_their_quotes() {
        for (type_oid, expression, expected) in [
            (oid::TEXT, "'it''s'::text", "it's"),
            (oid::TEXT, "''::text", ""),
            (oid::TEXT, "('a'::text || 'b'::text)", "a"),
            (oid::INT4, "'-1'::integer", "-1"),
            (oid::INT8, "'9000000000'::bigint", "9000000000"),
            (oid::NUMERIC, "12.3", "12.3"),
            (oid::BOOL, "true", "true"),
            (
                oid::TIMESTAMP,
                "'2020-01-02 03:04:05'::timestamp without time zone",
                "2020-01-02 03:04:05",
            ),
        ] {
            assert_eq!(
                default_text(type_oid, expression).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn calls_become_the_zero_of_their_type() {
        for (type_oid, expression, expected) in [
            (oid::INT4, "nextval('users_id_seq'::regclass)", "0"),
            (oid::TIMESTAMPTZ, "now()", "1970-01-01"),
            (
                oid::TIMESTAMP,
                "(now() AT TIME ZONE 'utc'::text)",
                "1970-01-01",
            ),
            (oid::DATE, "CURRENT_DATE", "1970-01-01"),
            (oid::TEXT, "upper('x'::text)", ""),
            (
                oid::UUID,
                "gen_random_uuid()",
                "00000000-0000-0000-0000-000000000000",
            ),
        ] {
            assert_eq!(
                default_text(type_oid, expression).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn what_is_neither_is_no_default() {
        for (type_oid, expression) in [
            (oid::INT4, "(1 + 2)"),
            (oid::TEXT, "NULL::text"),
            (oid::BYTEA, "'\\xdeadbeef'::bytea"),
            (oid::INT2, "40000"),
            (oid::DATE, "'infinity'::date"),
        ] {
            assert_eq!(default_text(type_oid, expression), None, "{expression}");
        }
    }
}
