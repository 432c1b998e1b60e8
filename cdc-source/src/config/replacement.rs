//! The replacement strings of Java's `Matcher.replaceFirst`.

use regex::{Captures, Regex};

/// A replacement, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replacement {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Group(usize),
    Name(String),
}

impl Replacement {
    /// Takes `text` apart for `regex`: `$1` and `${name}` stand for groups, a backslash makes the
    /// character behind it literal. As in Java, `$12` is group 12 only if there are so many.
    pub(super) fn parse(text: &str, regex: &Regex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let part = match character {
                '\\' => {
                    let escaped = characters.next();
                    literal.push(escaped.ok_or("ends in a backslash that escapes nothing")?);
                    continue;
                }
                '$' if characters.peek() == Some(&'{') => {
                    let name: String = characters
                        .by_ref()
                        .skip(1)
                        .take_while(|c| *c != '}')
                        .collect();
                    if !regex.capture_names().flatten().any(|known| known == name) {
                        return Err(format!("names the group `{name}`, which `regex` lacks"));
                    }
                    Part::Name(name)
                }
                '$' => Part::Group(group_number(&mut characters, regex.captures_len())?),
                _ => {
                    literal.push(character);
                    continue;
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// What stands in place of a match.
    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Group(number) => captures.get(*number).map_or("", |group| group.as_str()),
                Part::Name(name) => captures.name(name).map_or("", |group| group.as_str()),
            })
            .collect()
    }
}

/// The number behind a `$`: its first digit, and each further one while there are that many groups.
fn group_number(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    group_count: usize,
) -> Result<usize, String> {
    let mut number = None;
    while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
        let next = number.unwrap_or(0) * 10 + digit as usize;
        if number.is_some() && next >= group_count {
            break;
        }
        number = Some(next);
        characters.next();
    }
    match number {
        Some(number) if number < group_count => Ok(number),
        Some(number) => Err(format!("names the group {number}, which `regex` lacks")),
        None => Err("has a `$` that names no group (`\\$` is the character)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(regex: &str, replacement: &str, text: &str) -> Result<String, String> {
        let regex = Regex::new(regex).unwrap();
        let replacement = Replacement::parse(replacement, &regex)?;
        Ok(replacement.expand(&regex.captures(text).unwrap()))
    }

    #[test]
    fn groups_are_named_by_number_and_by_name() {
        let topic = "server.public.users";
        let regex = r"([^.]+)\.([^.]+)\.(?<table>[^.]+)";
        assert_eq!(replace(regex, "$3", topic).unwrap(), "users");
        assert_eq!(
            replace(regex, "cdc-$2_${table}", topic).unwrap(),
            "cdc-public_users"
        );
        assert_eq!(replace(regex, "$12", topic).unwrap(), "server2");
        assert_eq!(replace(regex, r"\$1\\", topic).unwrap(), r"$1\");
        assert_eq!(replace(regex, "$0", topic).unwrap(), topic);
    }

    #[test]
    fn replacements_that_java_throws_on_are_refused() {
        for replacement in ["$4", "$", "$x", "${nosuch}", "x\\"] {
            assert!(
                replace("(a)(b)(c)", replacement, "abc").is_err(),
                "{replacement}"
            );
        }
    }
}
