//! `numeric` values: text to unscaled bytes, as `java.math.BigDecimal` has them.

/// A decimal number's text, taken apart: `±whole.fraction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecimalText<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

/// Digits that always fit an `i128`.
const FAST_DIGITS_MAX: usize = 38;
/// Digits that always fit an `i64`.
const FAST_DIGITS_MAX_I64: usize = 18;

impl<'a> DecimalText<'a> {
    /// Takes apart what Postgres prints for a `numeric`; `None` for `NaN`, the infinities and
    /// anything that is no decimal number.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let point = digits
            .iter()
            .position(|&byte| byte == b'.')
            .unwrap_or(digits.len());
        let (whole, fraction) = digits.split_at(point);
        let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
        let is_number = whole.len() + fraction.len() > 0
            && whole.iter().chain(fraction).all(u8::is_ascii_digit);
        is_number.then_some(Self {
            negative,
            whole,
            fraction,
        })
    }

    /// How many digits stand after the point.
    pub(crate) fn scale(&self) -> usize {
        self.fraction.len()
    }

    /// The number without zeros at the end of its fraction (`stripTrailingZeros`, and a scale that
    /// is never negative).
    pub(crate) fn without_trailing_zeros(mut self) -> Self {
        while let [rest @ .., b'0'] = self.fraction {
            self.fraction = rest;
        }
        self
    }

    /// The unscaled value at `scale`; `None` if it may not fit, or digits would be lost.
    pub(crate) fn unscaled_i64(&self, scale: i32) -> Option<i64> {
        let zeros = u32::try_from(i64::from(scale) - self.scale() as i64).ok()?;
        if self.whole.len() + self.fraction.len() + zeros as usize > FAST_DIGITS_MAX_I64 {
            return None;
        }
        let digits = self.whole.iter().chain(self.fraction);
        let magnitude = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let magnitude = magnitude * 10_i64.pow(zeros);
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The unscaled value at `scale` as big-endian two's complement; `None` if digits other than
    /// zero would be lost.
    pub(crate) fn unscaled_bytes(&self, scale: i32) -> Option<Vec<u8>> {
        let mut digits = Vec::with_capacity(self.whole.len() + self.fraction.len());
        digits.extend(
            self.whole
                .iter()
                .chain(self.fraction)
                .map(|byte| byte - b'0'),
        );
        let shift = i64::from(scale) - self.scale() as i64;
        if shift >= 0 {
            digits.resize(digits.len() + shift as usize, 0);
        } else {
            for _ in 0..-shift {
                if digits.pop().is_some_and(|digit| digit != 0) {
                    return None;
                }
            }
        }
        let significant = digits
            .iter()
            .position(|&digit| digit != 0)
            .unwrap_or(digits.len());
        Some(twos_complement(self.negative, &digits[significant..]))
    }

    /// What `BigDecimal.toPlainString` gives once the number has `scale`; `None` if digits other
    /// than zero would be lost.
    pub(crate) fn to_plain_string(self, scale: Option<i32>) -> Option<String> {
        let scale = scale.map_or(self.scale(), |scale| scale.max(0) as usize);
        let (kept, lost) = self.fraction.split_at(scale.min(self.fraction.len()));
        if lost.iter().any(|&digit| digit != b'0') {
            return None;
        }
        let mut text = if self.negative {
            vec![b'-']
        } else {
            Vec::new()
        };
        text.extend_from_slice(if self.whole.is_empty() {
            b"0"
        } else {
            self.whole
        });
        if scale > 0 {
            text.push(b'.');
            text.extend_from_slice(kept);
            text.resize(text.len() + scale - kept.len(), b'0');
        }
        String::from_utf8(text).ok()
    }

    /// Appends what `BigDecimal.toString` gives for the number at `scale`: an exponent stands where
    /// the scale is negative, or the number so small that more than five zeros would lead it.
    /// Returns false, having appended nothing, if digits other than zero would be lost.
    pub(crate) fn push_java_string(&self, scale: i32, out: &mut Vec<u8>) -> bool {
        let mut digits: Vec<u8> = self.whole.iter().chain(self.fraction).copied().collect();
        let shift = i64::from(scale) - self.scale() as i64;
        if shift >= 0 {
            digits.resize(digits.len() + shift as usize, b'0');
        } else {
            for _ in 0..-shift {
                if digits.pop().is_some_and(|digit| digit != b'0') {
                    return false;
                }
            }
        }
        let significant = digits.iter().position(|&digit| digit != b'0');
        let digits = significant.map_or(b"0".as_slice(), |start| &digits[start..]);
        if self.negative && significant.is_some() {
            out.push(b'-');
        }
        let adjusted = digits.len() as i64 - 1 - i64::from(scale);
        if scale == 0 {
            out.extend_from_slice(digits);
        } else if scale > 0 && adjusted >= -6 {
            let whole = digits.len() as i64 - i64::from(scale);
            if whole > 0 {
                let (head, tail) = digits.split_at(whole as usize);
                out.extend_from_slice(head);
                out.push(b'.');
                out.extend_from_slice(tail);
            } else {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + (-whole) as usize, b'0');
                out.extend_from_slice(digits);
            }
        } else {
            let (head, tail) = digits.split_at(1);
            out.extend_from_slice(head);
            if !tail.is_empty() {
                out.push(b'.');
                out.extend_from_slice(tail);
            }
            if adjusted != 0 {
                out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
                crate::envelope::push_int(adjusted, out);
            }
        }
        true
    }
}

/// The shortest big-endian two's complement of a number given by its decimal digits (0 to 9).
fn twos_complement(negative: bool, digits: &[u8]) -> Vec<u8> {
    if digits.len() <= FAST_DIGITS_MAX {
        let magnitude = digits
            .iter()
            .fold(0_i128, |sum, &digit| sum * 10 + i128::from(digit));
        let value = if negative { -magnitude } else { magnitude };
        return shortest(&value.to_be_bytes()).to_vec();
    }
    let mut limbs: Vec<u32> = Vec::with_capacity(digits.len() / 9 + 1);
    for chunk in digits.chunks(9) {
        let factor = 10_u64.pow(chunk.len() as u32);
        let mut carry = chunk
            .iter()
            .fold(0_u64, |sum, &digit| sum * 10 + u64::from(digit));
        for limb in &mut limbs {
            let wide = u64::from(*limb) * factor + carry;
            *limb = wide as u32;
            carry = wide >> 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    // A limb of zeros in front leaves room for the sign.
    let mut bytes = vec![0_u8; 4];
    bytes.extend(limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (flipped, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = flipped;
            carry = overflow;
        }
    }
    shortest(&bytes).to_vec()
}

/// Drops leading bytes that only repeat the sign.
pub(crate) fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        let repeats_sign = match rest.first() {
            Some(next) => (*first == 0 && *next < 0x80) || (*first == 0xff && *next >= 0x80),
            None => false,
        };
        if !repeats_sign {
            break;
        }
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str, scale: i32) -> Option<Vec<u8>> {
        DecimalText::parse(text.as_bytes())
            .unwrap()
            .unscaled_bytes(scale)
    }

    fn java(text: &str, scale: i32) -> String {
        let mut out = Vec::new();
        assert!(
            DecimalText::parse(text.as_bytes())
                .unwrap()
                .push_java_string(scale, &mut out)
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn small_numbers_have_javas_bytes() {
        assert_eq!(bytes("0", 0).unwrap(), [0]);
        assert_eq!(bytes("-0.00", 2).unwrap(), [0]);
        assert_eq!(bytes("1.28", 2).unwrap(), [0, 128]);
        assert_eq!(bytes("-1.28", 2).unwrap(), [128]);
        assert_eq!(bytes("-0.01", 2).unwrap(), [255]);
        assert_eq!(bytes("99999999.99", 2).unwrap(), [2, 84, 11, 227, 255]);
        assert_eq!(bytes("1200", -2).unwrap(), [12]);
        assert_eq!(bytes("1234", -2), None);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["NaN", "Infinity", "-Infinity", "", "-", ".", "1e5", "1.2.3"] {
            assert_eq!(DecimalText::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn zeros_at_the_end_are_stripped_down_to_scale_zero() {
        for (text, scale) in [("1.500", 1), ("1000", 0), ("0.00", 0), ("-1200.0300", 2)] {
            let stripped = DecimalText::parse(text.as_bytes())
                .unwrap()
                .without_trailing_zeros();
            assert_eq!(stripped.scale(), scale, "{text}");
        }
    }

    #[test]
    fn numbers_print_as_big_decimal_does() {
        assert_eq!(java("19.90", 2), "19.90");
        assert_eq!(java("-0.05", 2), "-0.05");
        assert_eq!(java("0", 2), "0.00");
        assert_eq!(java("0.00000001", 8), "1E-8");
        assert_eq!(java("0.00000123", 8), "0.00000123");
        assert_eq!(java("0.00000012", 8), "1.2E-7");
        assert_eq!(java("1200", -2), "1.2E+3");
        assert_eq!(java("0", -2), "0E+2");
    }

    proptest::proptest! {
        #[test]
        fn bytes_agree_with_i128(value: i128, scale in 0_i32..30) {
            let magnitude = format!("{:0>31}", value.unsigned_abs());
            let (whole, fraction) = magnitude.split_at(magnitude.len() - scale as usize);
            let sign = if value < 0 { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}");
            let expected = value.to_be_bytes();
            proptest::prop_assert_eq!(
                bytes(&text, scale).unwrap(), shortest(&expected).to_vec()
            );
        }

        #[test]
        fn small_numbers_take_the_short_way_to_the_same(
            whole in "[0-9]{0,20}", fraction in "[0-9]{1,6}", scale in -2_i32..12, negative: bool
        ) {
            let text = format!("{}{whole}.{fraction}", if negative { "-" } else { "" });
            let number = DecimalText::parse(text.as_bytes()).unwrap();
            if let Some(small) = number.unscaled_i64(scale) {
                let expected = number.unscaled_bytes(scale).unwrap();
                proptest::prop_assert_eq!(shortest(&small.to_be_bytes()).to_vec(), expected);
            }
        }

        #[test]
        fn long_numbers_read_back(digits in "[1-9][0-9]{38,120}", negative: bool) {
            let text = if negative { format!("-{digits}") } else { digits.clone() };
            let bytes = bytes(&text, 0).unwrap();
            proptest::prop_assert_eq!(bytes[0] >= 0x80, negative);
            proptest::prop_assert_eq!(magnitude_text(negative, bytes), digits);
        }
    }

    /// Schoolbook reference: repeated division of the bytes by ten.
    fn magnitude_text(negative: bool, mut bytes: Vec<u8>) -> String {
        if negative {
            for byte in &mut bytes {
                *byte = !*byte;
            }
            for byte in bytes.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
        let mut text = Vec::new();
        while bytes.iter().any(|&byte| byte != 0) {
            let mut remainder = 0_u32;
            for byte in &mut bytes {
                let wide = remainder * 256 + u32::from(*byte);
                *byte = (wide / 10) as u8;
                remainder = wide % 10;
            }
            text.push(char::from(b'0' + remainder as u8));
        }
        text.iter().rev().collect()
    }
}
