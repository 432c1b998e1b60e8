//! Floating-point numbers as Java prints them.
//!
//! `JsonConverter` writes a float with `Float.toString` or `Double.toString`: the shortest digits
//! that read back as the same number, laid out plainly from 10⁻³ to 10⁷ and with an exponent
//! outside of it. (Java before 19 sometimes printed one digit more than needed; this does not.)
//! Of a number that one digit would tell Java prints the nearest two, so that the smallest doubles
//! leave as `4.9E-324`, `9.9E-324`.

use std::fmt::{Arguments, LowerExp};
use std::io::Write;

/// Longest form of a shortest-digits float: sign, 17 digits, point, `e`, sign, 3 digits.
const DIGITS_MAX: usize = 32;
/// From this exponent down numbers lie so far apart that one digit can stand for one, and two
/// digits for one nearer to it: the subnormal numbers of `f32`, and all below.
const SPARSE_EXPONENT: i32 = -38;

/// Appends what stands for a number of at most `digits_max` digits that Java would lay out plainly,
/// and returns whether the text is one.
///
/// A type that keeps any decimal number of so many digits (`DBL_DIG`, `FLT_DIG`) has no shorter
/// digits for it: but for zeros at its end, the text is what would be printed.
pub(crate) fn push_plain(text: &[u8], digits_max: usize, out: &mut Vec<u8>) -> bool {
    /// 10⁷, from where Java writes an exponent, has more digits.
    const WHOLE_DIGITS_MAX: usize = 7;
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    let fraction = fraction.strip_prefix(b".").unwrap_or_default();
    let zeros = fraction.iter().rev().take_while(|&&byte| byte == b'0');
    let zeros = zeros.count();
    let fraction = &fraction[..fraction.len() - zeros];
    let is_plain = match whole {
        // 10⁻³, below which Java writes an exponent too.
        b"0" => fraction.iter().take(3).any(|&byte| byte != b'0'),
        [b'1'..=b'9', ..] => whole.len() <= WHOLE_DIGITS_MAX,
        _ => false,
    };
    let mut all = whole.iter().chain(fraction);
    if !is_plain || whole.len() + fraction.len() > digits_max || !all.all(u8::is_ascii_digit) {
        return false;
    }
    if fraction.is_empty() {
        out.extend_from_slice(&text[..text.len() - digits.len() + whole.len()]);
        out.extend_from_slice(b".0");
    } else {
        out.extend_from_slice(&text[..text.len() - zeros]);
    }
    true
}

/// Appends the JSON of a float: a number, or a quoted `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn push_float<F: LowerExp + Copy + Into<f64>>(value: F, out: &mut Vec<u8>) {
    let wide: f64 = value.into();
    if wide.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if wide.is_infinite() {
        out.extend_from_slice(if wide > 0.0 {
            b"\"Infinity\""
        } else {
            b"\"-Infinity\""
        });
    } else {
        push_finite(value, out);
    }
}

fn push_finite<F: LowerExp>(value: F, out: &mut Vec<u8>) {
    let mut buffer = [0_u8; DIGITS_MAX];
    let (is_negative, mut mantissa, mut exponent) = parts(&mut buffer, format_args!("{value:e}"));
    let mut pair_buffer = [0_u8; DIGITS_MAX];
    if mantissa.len() == 1 && exponent <= SPARSE_EXPONENT {
        (_, mantissa, exponent) = parts(&mut pair_buffer, format_args!("{value:.1e}"));
    }
    if is_negative {
        out.push(b'-');
    }
    let mut digits = [b'0'; DIGITS_MAX];
    let mut count = 0;
    for &byte in mantissa.iter().filter(|byte| byte.is_ascii_digit()) {
        digits[count] = byte;
        count += 1;
    }
    push_java_layout(&digits[..count], exponent, out);
}

/// The sign, the mantissa and the exponent of a number as `LowerExp` writes it.
fn parts<'a>(buffer: &'a mut [u8; DIGITS_MAX], text: Arguments<'_>) -> (bool, &'a [u8], i32) {
    let mut rest = buffer.as_mut_slice();
    // The buffer holds the longest form, so that the write cannot fail.
    let _ = rest.write_fmt(text);
    let left = rest.len();
    let text = &buffer[..DIGITS_MAX - left];
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let mut parts = unsigned.split(|&byte| byte == b'e');
    let mantissa = parts.next().unwrap_or(b"0");
    let exponent = parts.next().and_then(ascii_int).unwrap_or(0);
    (unsigned.len() < text.len(), mantissa, exponent)
}

fn ascii_int(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Lays out `0.d₁d₂… × 10^(exponent + 1)` as `Double.toString` does.
fn push_java_layout(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    if (-3..7).contains(&exponent) {
        if exponent < 0 {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-exponent - 1) as usize, b'0');
            out.extend_from_slice(digits);
            return;
        }
        let whole = exponent as usize + 1;
        let (head, tail) = digits.split_at(whole.min(digits.len()));
        out.extend_from_slice(head);
        out.resize(out.len() + (whole - head.len()), b'0');
        out.push(b'.');
        out.extend_from_slice(if tail.is_empty() { b"0" } else { tail });
    } else {
        let (head, tail) = digits.split_at(1);
        out.extend_from_slice(head);
        out.push(b'.');
        out.extend_from_slice(if tail.is_empty() { b"0" } else { tail });
        out.push(b'E');
        crate::envelope::push_int(i64::from(exponent), out);
    }
}

#[cfg(test)]
mod tests {
    use super::{push_float, push_plain};

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        push_float(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn single(value: f32) -> String {
        let mut out = Vec::new();
        push_float(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_laid_out_as_java_does() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (1e21, "1.0E21"),
            (-123.456, "-123.456"),
            (f64::MAX, "1.7976931348623157E308"),
            (2.225_073_858_507_201_4e-308, "2.2250738585072014E-308"),
            (f64::from_bits(1), "4.9E-324"),
            (-f64::from_bits(2), "-9.9E-324"),
            (f64::from_bits(4), "2.0E-323"),
        ] {
            assert_eq!(double(value), expected);
        }
    }

    #[test]
    fn singles_keep_their_own_shortest_digits() {
        assert_eq!(single(0.1), "0.1");
        assert_eq!(single(1_234_567.9), "1234567.9");
        assert_eq!(single(16_777_216.0), "1.6777216E7");
        assert_eq!(single(1e-7), "1.0E-7");
        assert_eq!(single(f32::from_bits(1)), "1.4E-45");
        assert_eq!(single(f32::from_bits(14)), "2.0E-44");
        assert_eq!(single(f32::MAX), "3.4028235E38");
    }

    #[test]
    fn numbers_that_json_lacks_are_quoted() {
        assert_eq!(double(f64::NAN), "\"NaN\"");
        assert_eq!(double(f64::INFINITY), "\"Infinity\"");
        assert_eq!(single(f32::NEG_INFINITY), "\"-Infinity\"");
    }

    fn plain(text: &str) -> Option<String> {
        let mut out = Vec::new();
        push_plain(text.as_bytes(), 15, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn text_passes_only_where_java_prints_the_same() {
        let passed = [
            "1.0",
            "-1.0",
            "0.001",
            "9999999.0",
            "0.1",
            "-123.456",
            "1.5",
            "100.0",
        ];
        let given = [
            "1", "-1", "0.001", "9999999", "0.10", "-123.456", "1.50", "100",
        ];
        for (given, passed) in given.iter().zip(passed) {
            assert_eq!(plain(given).as_deref(), Some(passed));
        }
        for text in [
            "0",
            "-0",
            "0.0009",
            "10000000",
            "1e5",
            "NaN",
            "-Infinity",
            "",
            "-",
            ".5",
            "01",
            "1.2.3",
            "0.10000000000000001",
            "1.0000000000000000",
            "1.5x",
        ] {
            let expected = (text == "1.0000000000000000").then_some("1.0");
            assert_eq!(plain(text).as_deref(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_that_passes_is_what_would_be_printed(text in "-?[0-9]{1,8}(\\.[0-9]{1,12})?") {
            if let Some(plain) = plain(&text) {
                proptest::prop_assert_eq!(plain, double(text.parse().unwrap()));
            }
            let mut out = Vec::new();
            if push_plain(text.as_bytes(), 6, &mut out) {
                let plain = String::from_utf8(out).unwrap();
                proptest::prop_assert_eq!(plain, single(text.parse().unwrap()));
            }
        }

        #[test]
        fn a_printed_double_reads_back_as_itself(value in proptest::num::f64::NORMAL) {
            let read: f64 = double(value).parse().unwrap();
            proptest::prop_assert_eq!(read.to_bits(), value.to_bits());
        }
    }
}
