//! Reads typed values out of the settings, noting every mistake on the way.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::problem::Problems;

/// The settings as given, the mistakes and the warnings found in them.
pub(super) struct Reader<'a> {
    settings: &'a BTreeMap<String, String>,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a BTreeMap<String, String>) -> Self {
        Self {
            settings,
            problems: Problems::default(),
            warnings: Vec::new(),
        }
    }

    /// All settings, in the order of their keys.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.trim()))
    }

    /// The value without the spaces around it (as Kafka's `ConfigDef` reads it).
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.settings.get(key).map(|value| value.trim())
    }

    /// The value, unless it is absent or empty.
    pub(super) fn non_empty(&self, key: &str) -> Option<&'a str> {
        self.text(key).filter(|value| !value.is_empty())
    }

    /// A value that must be there.
    pub(super) fn required(&mut self, key: &str) -> &'a str {
        self.non_empty(key).unwrap_or_else(|| {
            self.problems.key(key, "is missing: it has no default");
            ""
        })
    }

    /// A number of at least `min`, at most `max`.
    pub(super) fn number<T>(&mut self, key: &str, default: T, min: T, max: T) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let Some(value) = self.text(key) else {
            return default;
        };
        match value.parse::<T>() {
            Ok(number) if number >= min && number <= max => number,
            Ok(number) if number < min => {
                self.problems
                    .value(key, value, &format!("must be at least {min}"));
                default
            }
            Ok(_) => {
                self.problems
                    .value(key, value, &format!("must be at most {max}"));
                default
            }
            Err(_) => {
                let complaint = format!("must be a whole number of at least {min}");
                self.problems.value(key, value, &complaint);
                default
            }
        }
    }

    /// Milliseconds, from 0 to Java's `Long.MAX_VALUE`.
    pub(super) fn millis(&mut self, key: &str, default: u64) -> u64 {
        self.number(key, default, 0, i64::MAX as u64)
    }

    /// `true` or `false`, in any case.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.text(key) else {
            return default;
        };
        if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
            value.eq_ignore_ascii_case("true")
        } else {
            self.problems.value(key, value, "must be true or false");
            default
        }
    }

    /// One of the named choices.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.text(key) else {
            return default;
        };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == value) {
            return *choice;
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        self.problems
            .value(key, value, &format!("must be one of {}", names.join(", ")));
        default
    }

    /// Notes something that is accepted without effect, or not as the user may think.
    pub(super) fn warn(&mut self, key: &str, remark: &str) {
        let warning = format!("`{key}` {remark}");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
