//! JSON text as Jackson writes it, straight into a buffer.

/// Bytes that a JSON string cannot hold as they are; 0xf0 and above start a character outside of
/// the basic plane, which Jackson escapes as a surrogate pair.
fn needs_care(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0xf0
}

/// Appends text as a quoted JSON string. What is no UTF-8 becomes U+FFFD, as in Java's decoder.
pub(crate) fn push_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    // Most text is ASCII without a character to escape, and need not be looked at twice.
    let (plain, rest) = text.split_at(plain_length(text));
    out.extend_from_slice(plain);
    if !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(rest) => push_escaped(rest, out),
            Err(_) => push_escaped(&String::from_utf8_lossy(rest), out),
        }
    }
    out.push(b'"');
}

/// How many bytes at the beginning are ASCII and stand in a JSON string as they are.
fn plain_length(text: &[u8]) -> usize {
    let (words, _) = text.as_chunks();
    let are_plain = words
        .iter()
        .take_while(|word| is_plain(u64::from_ne_bytes(**word)));
    let length = are_plain.count() * size_of::<u64>();
    let rest = text.get(length..).unwrap_or_default();
    let is_special = |byte: &u8| needs_care(*byte) || !byte.is_ascii();
    length + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Whether none of eight bytes is special. The tricks are those of "Bit Twiddling Hacks": a
/// byte's highest bit shows that it is below 0x20, or, after the exclusive or, zero.
fn is_plain(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word | below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH_BITS == 0
}

fn push_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(plain) = rest.bytes().position(needs_care) {
        let (head, tail) = rest.split_at(plain);
        out.extend_from_slice(head.as_bytes());
        let mut characters = tail.chars();
        if let Some(character) = characters.next() {
            push_escape(character, out);
        }
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

fn push_escape(character: char, out: &mut Vec<u8>) {
    let short = match character {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\t' => b't',
        '\n' => b'n',
        '\u{c}' => b'f',
        '\r' => b'r',
        _ => {
            let mut units = [0; 2];
            for &mut unit in character.encode_utf16(&mut units) {
                push_unit(unit, out);
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn push_unit(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(b"0123456789ABCDEF"[usize::from(unit >> shift & 15)]);
    }
}

/// The two digits of every number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The two digits of a number, of which nothing above its last two counts.
pub(crate) fn pair(number: u64) -> [u8; 2] {
    PAIRS[(number % 100) as usize]
}

/// An integer's decimal digits.
pub(crate) struct Digits {
    buffer: [u8; Self::LENGTH_MAX],
    start: usize,
}

impl Digits {
    /// Those of `i64::MIN`, with its sign.
    const LENGTH_MAX: usize = 20;

    pub(crate) fn of(value: i64) -> Self {
        let mut buffer = [0; Self::LENGTH_MAX];
        let mut start = Self::LENGTH_MAX;
        let mut rest = value.unsigned_abs();
        while rest >= 10 {
            start -= 2;
            buffer[start..start + 2].copy_from_slice(&pair(rest));
            rest /= 100;
        }
        // What is left is a first digit, but for the zero behind a full pair.
        if rest > 0 || start == Self::LENGTH_MAX {
            start -= 1;
            buffer[start] = b'0' + rest as u8;
        }
        if value < 0 {
            start -= 1;
            buffer[start] = b'-';
        }
        Self { buffer, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

/// Appends an integer's decimal digits.
pub(crate) fn push_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::of(value).as_bytes());
}

/// A time in µs since 1970, in the three units that envelopes have: its digits are made once.
pub(crate) struct Moment {
    micros: i64,
    digits: Digits,
}

impl Moment {
    pub(crate) fn of(micros: i64) -> Self {
        let digits = Digits::of(micros);
        Self { micros, digits }
    }

    /// Appends the milliseconds, rounded down.
    pub(crate) fn push_millis(&self, out: &mut Vec<u8>) {
        match self.digits.as_bytes() {
            [millis @ .., _, _, _] if self.micros >= 1_000 => out.extend_from_slice(millis),
            _ => push_int(self.micros.div_euclid(1_000), out),
        }
    }

    /// Appends the microseconds.
    pub(crate) fn push_micros(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.digits.as_bytes());
    }

    /// Appends the nanoseconds, at the ends of `i64` where they would not fit.
    pub(crate) fn push_nanos(&self, out: &mut Vec<u8>) {
        match self.micros.checked_mul(1_000) {
            Some(0) | None => push_int(self.micros.saturating_mul(1_000), out),
            Some(_) => {
                self.push_micros(out);
                out.extend_from_slice(b"000");
            }
        }
    }
}

/// Appends an integer, or `null`.
pub(crate) fn push_optional_int(value: Option<i64>, out: &mut Vec<u8>) {
    match value {
        Some(value) => push_int(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Text as a quoted JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_string(text.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_jackson_does() {
        assert_eq!(
            quoted("a\"b\\c/\t\n\r\u{8}\u{c}"),
            r#""a\"b\\c/\t\n\r\b\f""#
        );
        assert_eq!(quoted("\u{1}\u{1f}\u{7f}"), "\"\\u0001\\u001F\u{7f}\"");
        assert_eq!(quoted("zoë “日本” 🚀"), "\"zoë “日本” \\uD83D\\uDE80\"");
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        let mut out = Vec::new();
        push_string(b"a\xffb", &mut out);
        assert_eq!(out, "\"a\u{fffd}b\"".as_bytes());
    }

    #[test]
    fn special_bytes_are_found_wherever_they_stand() {
        for byte in 0..=u8::MAX {
            let is_plain = byte.is_ascii() && !needs_care(byte);
            for place in 0..20 {
                let mut text = [b'a'; 20];
                text[place] = byte;
                let expected = if is_plain { text.len() } else { place };
                assert_eq!(plain_length(&text), expected, "{byte} at {place}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn strings_read_back(text: String) {
            let read: String = serde_json::from_str(&quoted(&text)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }

        #[test]
        fn integers_agree_with_display(value: i64, digits in 0_u32..20) {
            for value in [value, value % 10_i64.saturating_pow(digits)] {
                let mut out = Vec::new();
                push_int(value, &mut out);
                proptest::prop_assert_eq!(out, value.to_string().into_bytes());
            }
        }

        #[test]
        fn moments_agree_with_their_units(micros: i64, digits in 0_u32..20) {
            for micros in [micros, micros % 10_i64.saturating_pow(digits)] {
                let moment = Moment::of(micros);
                let mut out = Vec::new();
                moment.push_millis(&mut out);
                out.push(b' ');
                moment.push_micros(&mut out);
                out.push(b' ');
                moment.push_nanos(&mut out);
                let (millis, nanos) = (micros.div_euclid(1_000), micros.saturating_mul(1_000));
                let expected = format!("{millis} {micros} {nanos}");
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        }
    }
}
