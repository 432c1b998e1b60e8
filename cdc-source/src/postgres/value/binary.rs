//! `bytea` values and base64.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How bytes are written into a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryForm {
    /// Base64 with padding, as Connect's bytes and `binary.handling.mode=base64`.
    Base64,
    /// Base64 with padding, in the URL-safe alphabet.
    Base64UrlSafe,
    /// Lower-case hexadecimal digits.
    Hex,
}

/// Appends bytes as a quoted JSON string.
pub(crate) fn push_bytes(form: BinaryForm, bytes: &[u8], out: &mut Vec<u8>) {
    push_form(form, bytes.iter().copied(), out);
}

/// Appends a `bytea` in its `\x…` text form as a quoted JSON string. Returns false if the text has
/// another form.
pub(crate) fn push_bytea(form: BinaryForm, text: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(hex) = text.strip_prefix(b"\\x") else {
        return false;
    };
    if !hex.len().is_multiple_of(2) || !hex.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let bytes = hex
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |sum, &c| sum << 4 | nibble(c)));
    push_form(form, bytes, out);
    true
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn push_form(form: BinaryForm, bytes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    out.push(b'"');
    match form {
        BinaryForm::Base64 => push_base64(STANDARD, bytes, out),
        BinaryForm::Base64UrlSafe => push_base64(URL_SAFE, bytes, out),
        BinaryForm::Hex => {
            for byte in bytes {
                out.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
                out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
            }
        }
    }
    out.push(b'"');
}

fn push_base64(alphabet: &[u8; 64], mut bytes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let letter = |bits: u32| alphabet[(bits & 63) as usize];
    while let Some(first) = bytes.next() {
        let (second, third) = (bytes.next(), bytes.next());
        let bits = u32::from(first) << 16
            | u32::from(second.unwrap_or(0)) << 8
            | u32::from(third.unwrap_or(0));
        out.push(letter(bits >> 18));
        out.push(letter(bits >> 12));
        out.push(if second.is_some() {
            letter(bits >> 6)
        } else {
            b'='
        });
        out.push(if third.is_some() { letter(bits) } else { b'=' });
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    fn bytea(form: BinaryForm, text: &str) -> Option<String> {
        let mut out = Vec::new();
        push_bytea(form, text.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn bytea_takes_each_form() {
        let text = "\\xfbff00fe3e3f";
        assert_eq!(bytea(BinaryForm::Base64, text).unwrap(), "\"+/8A/j4/\"");
        assert_eq!(
            bytea(BinaryForm::Base64UrlSafe, text).unwrap(),
            "\"-_8A_j4_\""
        );
        assert_eq!(bytea(BinaryForm::Hex, text).unwrap(), "\"fbff00fe3e3f\"");
        assert_eq!(bytea(BinaryForm::Base64, "\\x").unwrap(), "\"\"");
    }

    #[test]
    fn text_that_is_not_hexadecimal_is_refused() {
        for text in ["", "abc", "\\x0", "\\xzz", "\\000"] {
            assert_eq!(bytea(BinaryForm::Base64, text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn base64_agrees_with_the_reference(bytes: Vec<u8>) {
            for (form, expected) in [
                (BinaryForm::Base64, STANDARD.encode(&bytes)),
                (BinaryForm::Base64UrlSafe, URL_SAFE.encode(&bytes)),
            ] {
                let mut out = Vec::new();
                push_bytes(form, &bytes, &mut out);
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{expected}\""));
            }
        }
    }
}
