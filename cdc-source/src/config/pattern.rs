//! Java's regular expressions, as far as the `regex` crate knows them too.

use regex::{Regex, RegexBuilder};

/// Compiles an expression that has to match a whole name.
pub(super) fn whole_match(pattern: &str, ignores_case: bool) -> Result<Regex, String> {
    compile(&format!("^(?:{pattern})$"), ignores_case)
}

/// Compiles an expression; the message of a failure fits behind a key's name.
pub(super) fn compile(pattern: &str, ignores_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignores_case)
        .build()
        .map_err(|error| match error {
            regex::Error::Syntax(text) => {
                let reason = text.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                format!("is no regular expression that is supported here: {reason}")
            }
            _ => "is too large a regular expression".to_owned(),
        })
}

/// Splits a list of expressions at its commas; `\,` is a comma within one
/// (`Strings.RegExSplitter`).
pub(super) fn split_list(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        let Some(part) = parts.last_mut() else { break };
        match character {
            ',' => parts.push(String::new()),
            '\\' => match characters.next() {
                Some(',') => part.push(','),
                Some(escaped) => part.extend(['\\', escaped]),
                None => part.push('\\'),
            },
            _ => part.push(character),
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_at_commas_that_are_not_escaped() {
        assert_eq!(
            split_list(r"public\.a, b{1\,2} ,,c"),
            [r"public\.a", "b{1,2}", "c"]
        );
        assert!(split_list("").is_empty());
    }

    #[test]
    fn what_only_java_knows_is_refused_with_a_reason() {
        let message = whole_match("(?!x).*", false).unwrap_err();
        assert!(message.contains("look-around"), "{message}");
    }
}
