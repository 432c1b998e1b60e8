//! What a column becomes: its Connect schema, its encoder, its fallback.

use super::binary::BinaryForm;
use super::decimal::DecimalText;
use super::default::default_text;
use super::encoder::{TimeUnit, ValueEncoder};
use super::oid;
use crate::config::{BinaryHandling, DecimalFormat, DecimalHandling, TimePrecision, ValueConfig};
use crate::envelope::quoted;
use crate::schema::{Column, ConnectSchema, StructSchema};

/// Fractional digits of a time or timestamp column that declares none.
const TIME_PRECISION_MAX: u8 = 6;

/// What a column becomes under a connector's handling modes.
#[derive(Debug, Clone)]
pub(crate) struct ColumnKind {
    /// The column's schema, with its optionality and default.
    pub(crate) schema: ConnectSchema,
    /// How its values are written.
    pub(crate) encoder: ValueEncoder,
    /// The JSON that stands for a NULL in a NOT NULL column without a default: such a NULL is one
    /// that Postgres did not log (`JdbcValueConverters#convertValue`).
    pub(crate) fallback: String,
    /// False if the type is not one of those that are known, so that its text is passed on.
    pub(crate) is_known: bool,
}

/// A type before optionality and default.
struct Shape {
    schema: ConnectSchema,
    encoder: ValueEncoder,
    /// The fallback's text as Postgres would print it, or as JSON where that cannot be printed.
    fallback: Fallback,
}

enum Fallback {
    Text(&'static str),
    Json(&'static str),
    /// Zero with this many decimal places, as a string.
    ZeroString(i32),
}

impl ColumnKind {
    /// Decides for one column. `decimal_format` is the converter's.
    pub(crate) fn new(
        column: &Column,
        values: &ValueConfig,
        decimal_format: DecimalFormat,
    ) -> Self {
        let shape = known_shape(column, values, decimal_format);
        let is_known = shape.is_some();
        let shape = shape.unwrap_or_else(|| Shape {
            schema: ConnectSchema::primitive("string"),
            encoder: ValueEncoder::Text,
            fallback: Fallback::Text(""),
        });
        let default = column
            .default_expression
            .as_deref()
            .filter(|_| is_known)
            .and_then(|expression| default_text(column.type_oid, expression))
            .and_then(|text| default_json(column, shape.encoder, &text));
        let fallback = match shape.fallback {
            Fallback::Json(json) => json.to_owned(),
            Fallback::Text(text) => json_of(shape.encoder, text).unwrap_or_default(),
            Fallback::ZeroString(scale) => format!("\"{:.*}\"", scale as usize, 0.0),
        };
        let mut schema = shape.schema.with_default(default);
        schema.optional = column.nullable;
        Self {
            schema,
            encoder: shape.encoder,
            fallback,
            is_known,
        }
    }
}

/// A default as JSON; `None` where Debezium gives the schema none: a struct (KAFKA-12694), or text
/// that the type does not hold.
fn default_json(column: &Column, encoder: ValueEncoder, text: &str) -> Option<String> {
    match encoder {
        ValueEncoder::VariableDecimal => None,
        ValueEncoder::DecimalString => {
            let scale = numeric_modifiers(column.type_modifier).map(|(_, scale)| scale);
            Some(quoted(
                &DecimalText::parse(text.as_bytes())?.to_plain_string(scale)?,
            ))
        }
        _ => json_of(encoder, text),
    }
}

fn json_of(encoder: ValueEncoder, text: &str) -> Option<String> {
    let mut out = Vec::new();
    encoder.push(text.as_bytes(), &mut out).ok()?;
    String::from_utf8(out).ok()
}

fn known_shape(
    column: &Column,
    values: &ValueConfig,
    decimal_format: DecimalFormat,
) -> Option<Shape> {
    use Fallback::{Json, Text};
    let shape = |type_name: &str, encoder, fallback| Shape {
        schema: ConnectSchema::primitive(type_name),
        encoder,
        fallback,
    };
    let named = |name: &str| Shape {
        schema: ConnectSchema::named("string", name),
        encoder: ValueEncoder::Text,
        fallback: Text(""),
    };
    Some(match column.type_oid {
        oid::BOOL => shape("boolean", ValueEncoder::Boolean, Json("false")),
        oid::INT2 => shape("int16", ValueEncoder::Integer, Json("0")),
        oid::INT4 => shape("int32", ValueEncoder::Integer, Json("0")),
        oid::INT8 | oid::OID => shape("int64", ValueEncoder::Integer, Json("0")),
        oid::FLOAT4 => shape("float", ValueEncoder::Float32, Json("0.0")),
        oid::FLOAT8 => shape("double", ValueEncoder::Float64, Json("0.0")),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::CHAR | oid::NAME => {
            shape("string", ValueEncoder::Text, Text(""))
        }
        oid::JSON | oid::JSONB => named("io.debezium.data.Json"),
        oid::UUID => named("io.debezium.data.Uuid"),
        oid::BYTEA => binary_shape(values.binary),
        oid::NUMERIC => numeric_shape(column.type_modifier, values.decimal, decimal_format),
        oid::DATE => date_shape(values.time),
        oid::TIME => time_shape(time_precision(column.type_modifier), values.time),
        oid::TIMESTAMP => timestamp_shape(time_precision(column.type_modifier), values.time),
        oid::TIMESTAMPTZ => Shape {
            schema: ConnectSchema::named("string", "io.debezium.time.ZonedTimestamp"),
            encoder: ValueEncoder::ZonedTimestamp {
                fraction: time_precision(column.type_modifier),
            },
            fallback: Json("\"1970-01-01T00:00:00Z\""),
        },
        _ => return None,
    })
}

fn binary_shape(handling: BinaryHandling) -> Shape {
    let (type_name, form) = match handling {
        BinaryHandling::Bytes => ("bytes", BinaryForm::Base64),
        BinaryHandling::Base64 => ("string", BinaryForm::Base64),
        BinaryHandling::Base64UrlSafe => ("string", BinaryForm::Base64UrlSafe),
        BinaryHandling::Hex => ("string", BinaryForm::Hex),
    };
    Shape {
        schema: ConnectSchema::primitive(type_name),
        encoder: ValueEncoder::Bytes(form),
        fallback: Fallback::Text("\\x"),
    }
}

/// Precision and scale of `numeric(p,s)`, whose scale may be negative; `None` for bare `numeric`.
fn numeric_modifiers(type_modifier: i32) -> Option<(i32, i32)> {
    let packed = type_modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    Some((packed >> 16 & 0xffff, scale))
}

fn numeric_shape(type_modifier: i32, handling: DecimalHandling, format: DecimalFormat) -> Shape {
    let shape = |schema, encoder| Shape {
        schema,
        encoder,
        fallback: Fallback::Text("0"),
    };
    match (handling, numeric_modifiers(type_modifier)) {
        (DecimalHandling::Double, _) => shape(
            ConnectSchema::primitive("double"),
            ValueEncoder::DecimalDouble,
        ),
        (DecimalHandling::String, modifiers) => {
            let scale = modifiers.map_or(0, |(_, scale)| scale.max(0));
            Shape {
                schema: ConnectSchema::primitive("string"),
                encoder: ValueEncoder::DecimalString,
                fallback: Fallback::ZeroString(scale),
            }
        }
        (DecimalHandling::Precise, None) => {
            let schema = ConnectSchema::of_struct(
                &StructSchema::new(
                    "io.debezium.data.VariableScaleDecimal",
                    vec![
                        ("scale".to_owned(), ConnectSchema::primitive("int32")),
                        ("value".to_owned(), ConnectSchema::primitive("bytes")),
                    ],
                )
                .with_version(1),
            )
            .with_doc("Variable scaled decimal");
            shape(schema, ValueEncoder::VariableDecimal)
        }
        (DecimalHandling::Precise, Some((precision, scale))) => {
            let schema = ConnectSchema::named("bytes", "org.apache.kafka.connect.data.Decimal")
                .with_parameter("scale", scale.to_string())
                .with_parameter("connect.decimal.precision", precision.to_string());
            let encoder = match format {
                DecimalFormat::Base64 => ValueEncoder::Decimal { scale },
                DecimalFormat::Numeric => ValueEncoder::DecimalNumber { scale },
            };
            shape(schema, encoder)
        }
    }
}

fn date_shape(precision: TimePrecision) -> Shape {
    let (schema, encoder) = match precision {
        TimePrecision::IsoString => (
            ConnectSchema::named("string", "io.debezium.time.IsoDate"),
            ValueEncoder::DateIso,
        ),
        TimePrecision::Connect => (
            ConnectSchema::named("int32", "org.apache.kafka.connect.data.Date"),
            ValueEncoder::Date,
        ),
        _ => (
            ConnectSchema::named("int32", "io.debezium.time.Date"),
            ValueEncoder::Date,
        ),
    };
    Shape {
        schema,
        encoder,
        fallback: Fallback::Text("1970-01-01"),
    }
}

/// Digits of fraction that a time or timestamp column holds.
fn time_precision(type_modifier: i32) -> u8 {
    u8::try_from(type_modifier).map_or(TIME_PRECISION_MAX, |digits| digits.min(TIME_PRECISION_MAX))
}

fn time_shape(digits: u8, precision: TimePrecision) -> Shape {
    let (type_name, name, unit) = match precision {
        TimePrecision::Adaptive if digits <= 3 => {
            ("int32", "io.debezium.time.Time", TimeUnit::Millis)
        }
        TimePrecision::Adaptive
        | TimePrecision::AdaptiveTimeMicroseconds
        | TimePrecision::Microseconds => ("int64", "io.debezium.time.MicroTime", TimeUnit::Micros),
        TimePrecision::Nanoseconds => ("int64", "io.debezium.time.NanoTime", TimeUnit::Nanos),
        TimePrecision::Connect => (
            "int32",
            "org.apache.kafka.connect.data.Time",
            TimeUnit::Millis,
        ),
        TimePrecision::IsoString => ("string", "io.debezium.time.IsoTime", TimeUnit::Iso),
    };
    Shape {
        schema: ConnectSchema::named(type_name, name),
        encoder: ValueEncoder::Time(unit),
        fallback: Fallback::Text("00:00:00"),
    }
}

fn timestamp_shape(digits: u8, precision: TimePrecision) -> Shape {
    let (type_name, name, unit) = match precision {
        TimePrecision::Adaptive | TimePrecision::AdaptiveTimeMicroseconds if digits <= 3 => {
            ("int64", "io.debezium.time.Timestamp", TimeUnit::Millis)
        }
        TimePrecision::Adaptive
        | TimePrecision::AdaptiveTimeMicroseconds
        | TimePrecision::Microseconds => {
            ("int64", "io.debezium.time.MicroTimestamp", TimeUnit::Micros)
        }
        TimePrecision::Nanoseconds => ("int64", "io.debezium.time.NanoTimestamp", TimeUnit::Nanos),
        TimePrecision::Connect => (
            "int64",
            "org.apache.kafka.connect.data.Timestamp",
            TimeUnit::Millis,
        ),
        TimePrecision::IsoString => ("string", "io.debezium.time.IsoTimestamp", TimeUnit::Iso),
    };
    Shape {
        schema: ConnectSchema::named(type_name, name),
        encoder: ValueEncoder::Timestamp(unit),
        fallback: Fallback::Text("1970-01-01 00:00:00"),
    }
}
