//! One value's text into one value's JSON.

use super::binary::{BinaryForm, push_bytea, push_bytes};
use super::decimal::{DecimalText, shortest};
use super::float::{push_float, push_plain};
use super::temporal::{
    DATE_INFINITY, DATE_NEGATIVE_INFINITY, TIMESTAMP_INFINITY_MS, TIMESTAMP_NEGATIVE_INFINITY_MS,
    parse_date, parse_time, parse_timestamp, push_iso_date, push_iso_time,
};
use crate::envelope::{push_int, push_string};

/// The resolution in which a time or timestamp leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Millis,
    Micros,
    Nanos,
    /// An ISO 8601 string.
    Iso,
}

/// How the values of a column are written; chosen once per column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueEncoder {
    Integer,
    Float32,
    Float64,
    Boolean,
    Text,
    /// Text in a header's struct (`Values#append`): only quotes and backslashes are escaped.
    HeaderText,
    Bytes(BinaryForm),
    /// Connect's Decimal: base64 of the unscaled value.
    Decimal {
        scale: i32,
    },
    /// Connect's Decimal with `decimal.format=NUMERIC`.
    DecimalNumber {
        scale: i32,
    },
    /// Debezium's `VariableScaleDecimal`.
    VariableDecimal,
    DecimalDouble,
    DecimalString,
    /// Days since 1970.
    Date,
    DateIso,
    Time(TimeUnit),
    Timestamp(TimeUnit),
    /// A string in UTC with this many digits of fraction, 0 for as many as it needs.
    ZonedTimestamp {
        fraction: u8,
    },
}

/// A value's text has no counterpart in the type that the column has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotConvertible;

impl ValueEncoder {
    /// Appends the JSON of a value. After an error, `out` may hold a part of it.
    pub(crate) fn push(self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NotConvertible> {
        match self {
            Self::Integer => push_integer(text, out),
            Self::Float32 => push_float32(text, out),
            Self::Float64 | Self::DecimalDouble => push_float64(text, out),
            Self::Boolean => push_boolean(text, out),
            Self::Text => {
                push_string(text, out);
                Some(())
            }
            Self::HeaderText => {
                push_header_text(text, out);
                Some(())
            }
            Self::Bytes(form) => push_bytea(form, text, out).then_some(()),
            Self::Decimal { scale } => push_decimal(text, scale, out),
            Self::DecimalNumber { scale } => DecimalText::parse(text)
                .and_then(|number| number.push_java_string(scale, out).then_some(())),
            Self::VariableDecimal => push_variable_decimal(text, out),
            Self::DecimalString => push_decimal_string(text, out),
            Self::Date => push_date(text, out),
            Self::DateIso => push_date_iso(text, out),
            Self::Time(unit) => push_time(text, unit, out),
            Self::Timestamp(unit) => push_timestamp(text, unit, out),
            Self::ZonedTimestamp { fraction } => push_zoned(text, fraction, out),
        }
        .ok_or(NotConvertible)
    }

    /// The JSON that stands for a TOAST value which an update did not touch; `None` where the
    /// type has no place for it. (`UnchangedToastedPlaceholder`; where Debezium would write null
    /// for base64 columns, the placeholder stands as text.)
    pub(crate) fn placeholder(self, placeholder: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Text | Self::HeaderText | Self::DecimalString => {
                push_string(placeholder, &mut out);
            }
            Self::Bytes(BinaryForm::Base64) => {
                push_bytes(BinaryForm::Base64, placeholder, &mut out);
            }
            Self::Bytes(_) => push_string(placeholder, &mut out),
            _ => return None,
        }
        Some(out)
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn push_float32(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if push_plain(text, f32::DIGITS as usize, out) {
        return Some(());
    }
    parse::<f32>(text).map(|value| push_float(value, out))
}

fn push_float64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if push_plain(text, f64::DIGITS as usize, out) {
        return Some(());
    }
    parse::<f64>(text).map(|value| push_float(value, out))
}

/// Postgres prints integers as JSON does.
fn push_integer(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    out.extend_from_slice(text);
    Some(())
}

fn push_boolean(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let value: &[u8] = match text {
        b"t" | b"true" => b"true",
        b"f" | b"false" => b"false",
        _ => return None,
    };
    out.extend_from_slice(value);
    Some(())
}

fn push_header_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn push_decimal(text: &[u8], scale: i32, out: &mut Vec<u8>) -> Option<()> {
    let number = DecimalText::parse(text)?;
    match number.unscaled_i64(scale) {
        Some(small) => push_bytes(BinaryForm::Base64, shortest(&small.to_be_bytes()), out),
        None => push_bytes(BinaryForm::Base64, &number.unscaled_bytes(scale)?, out),
    }
    Some(())
}

fn push_variable_decimal(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let number = DecimalText::parse(text)?.without_trailing_zeros();
    let scale = number.scale() as i32;
    out.extend_from_slice(b"{\"scale\":");
    push_int(i64::from(scale), out);
    out.extend_from_slice(b",\"value\":");
    push_bytes(BinaryForm::Base64, &number.unscaled_bytes(scale)?, out);
    out.push(b'}');
    Some(())
}

/// `BigDecimal.toPlainString`, or the name of a special value (`SpecialValueDecimal.toString`).
fn push_decimal_string(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = match text {
        b"NaN" => b"NAN",
        b"Infinity" => b"POSITIVE_INFINITY".as_slice(),
        b"-Infinity" => b"NEGATIVE_INFINITY",
        _ => DecimalText::parse(text).map(|_| text)?,
    };
    push_string(text, out);
    Some(())
}

fn days(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" => Some(i64::from(DATE_INFINITY)),
        b"-infinity" => Some(i64::from(DATE_NEGATIVE_INFINITY)),
        _ => parse_date(text),
    }
}

fn push_date(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    push_int(days(text)?, out);
    Some(())
}

fn push_date_iso(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(b'"');
    match text {
        b"infinity" => out.extend_from_slice(b"+5877611-06-21"),
        b"-infinity" => out.extend_from_slice(b"-5877611-06-22"),
        _ => push_iso_date(parse_date(text)?, out),
    }
    out.extend_from_slice(b"Z\"");
    Some(())
}

fn push_time(text: &[u8], unit: TimeUnit, out: &mut Vec<u8>) -> Option<()> {
    const MICROS_PER_DAY: i64 = 86_400_000_000;
    let micros = parse_time(text)?;
    match unit {
        TimeUnit::Millis => push_int(micros / 1000, out),
        TimeUnit::Micros => push_int(micros, out),
        TimeUnit::Nanos => push_int(micros * 1000, out),
        TimeUnit::Iso => {
            out.push(b'"');
            push_iso_time(micros % MICROS_PER_DAY, 0, out);
            out.extend_from_slice(b"Z\"");
        }
    }
    Some(())
}

fn push_timestamp(text: &[u8], unit: TimeUnit, out: &mut Vec<u8>) -> Option<()> {
    let infinity = match text {
        b"infinity" => Some(true),
        b"-infinity" => Some(false),
        _ => None,
    };
    if let Some(positive) = infinity {
        push_infinite_timestamp(positive, unit, out);
        return Some(());
    }
    let moment = parse_timestamp(text)?;
    match unit {
        TimeUnit::Millis => push_int(moment.epoch_millis(), out),
        TimeUnit::Micros => push_int(moment.epoch_micros(), out),
        TimeUnit::Nanos => push_int(moment.epoch_nanos()?, out),
        TimeUnit::Iso => {
            out.push(b'"');
            moment.push_iso(0, out);
            out.push(b'"');
        }
    }
    Some(())
}

/// Debezium takes the driver's infinities for milliseconds, so that finer units saturate.
fn push_infinite_timestamp(positive: bool, unit: TimeUnit, out: &mut Vec<u8>) {
    match (unit, positive) {
        (TimeUnit::Millis, true) => push_int(TIMESTAMP_INFINITY_MS, out),
        (TimeUnit::Millis, false) => push_int(TIMESTAMP_NEGATIVE_INFINITY_MS, out),
        (TimeUnit::Micros | TimeUnit::Nanos, true) => push_int(i64::MAX, out),
        (TimeUnit::Micros | TimeUnit::Nanos, false) => push_int(i64::MIN, out),
        (TimeUnit::Iso, true) => out.extend_from_slice(b"\"+292278994-08-16T23:00:00Z\""),
        (TimeUnit::Iso, false) => out.extend_from_slice(b"\"-292275055-05-16T23:00:00Z\""),
    }
}

fn push_zoned(text: &[u8], fraction: u8, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'"');
    match text {
        b"infinity" | b"-infinity" => out.extend_from_slice(text),
        _ => parse_timestamp(text)?.push_iso(fraction, out),
    }
    out.push(b'"');
    Some(())
}
