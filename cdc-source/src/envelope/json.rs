//! JSON text as Jackson writes it, straight into a buffer.

/// Bytes that a JSON string cannot hold as they are; 0xf0 and above start a character outside of
/// the basic plane, which Jackson escapes as a surrogate pair.
fn needs_care(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0xf0
}

/// Appends text as a quoted JSON string. What is no UTF-8 becomes U+FFFD, as in Java's decoder.
pub(crate) fn push_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    match std::str::from_utf8(text) {
        Ok(text) => push_escaped(text, out),
        Err(_) => push_escaped(&String::from_utf8_lossy(text), out),
    }
    out.push(b'"');
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

/// Appends an integer's decimal digits.
pub(crate) fn push_int(value: i64, out: &mut Vec<u8>) {
    const DIGITS_MAX: usize = 20;
    let mut buffer = [0; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    let mut rest = value.unsigned_abs();
    loop {
        start -= 1;
        buffer[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&buffer[start..]);
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

    proptest::proptest! {
        #[test]
        fn strings_read_back(text: String) {
            let read: String = serde_json::from_str(&quoted(&text)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }

        #[test]
        fn integers_agree_with_display(value: i64) {
            let mut out = Vec::new();
            push_int(value, &mut out);
            proptest::prop_assert_eq!(out, value.to_string().into_bytes());
        }
    }
}
