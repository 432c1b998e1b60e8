//! A map of settings that is read key by key, and what was wrong on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeBounds;
use std::str::FromStr;

use regex::Regex;

use super::pattern;

/// The settings of a connector while they are read.
#[derive(Debug)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    read: BTreeSet<String>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Settings {
    pub(super) fn new(values: BTreeMap<String, String>) -> Self {
        Self {
            values,
            read: BTreeSet::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn mistake(&mut self, mistake: impl Into<String>) {
        self.mistakes.push(mistake.into());
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// The value of a key; an empty one is as good as absent.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.read.insert(key.to_owned());
        self.values
            .get(key)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    pub(super) fn text_or(&mut self, key: &str, default: &str) -> String {
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    /// The value of a key whose empty value differs from its absence.
    pub(super) fn text_or_empty(&mut self, key: &str, default: &str) -> String {
        self.read.insert(key.to_owned());
        self.values
            .get(key)
            .map_or_else(|| default.to_owned(), Clone::clone)
    }

    /// The value of a key that has to be there; an empty text and a mistake if it is not.
    pub(super) fn required(&mut self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.mistake(format!("`{key}` is missing"));
            String::new()
        })
    }

    /// The value of a key that has to be there but may be empty.
    pub(super) fn required_or_empty(&mut self, key: &str) -> String {
        if !self.values.contains_key(key) {
            self.mistake(format!("`{key}` is missing"));
        }
        self.text_or_empty(key, "")
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        match self.text(key) {
            None => default,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(value) => {
                self.mistake(format!("`{key}` is `{value}` but has to be true or false"));
                default
            }
        }
    }

    pub(super) fn number<T>(&mut self, key: &str, default: T, range: impl RangeBounds<T>) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let Some(value) = self.text(key) else {
            return default;
        };
        match value.parse::<T>() {
            Ok(number) if range.contains(&number) => number,
            Ok(_) => {
                self.mistake(format!("`{key}` is {value}, which is out of its range"));
                default
            }
            Err(_) => {
                self.mistake(format!(
                    "`{key}` is `{value}` but has to be a whole number in its range"
                ));
                default
            }
        }
    }

    /// One of a few names, whatever their case.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, default: T, names: &[(&str, T)]) -> T {
        let Some(value) = self.text(key) else {
            return default;
        };
        if let Some((_, choice)) = names
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&value))
        {
            return *choice;
        }
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        self.mistake(format!(
            "`{key}` is `{value}` but has to be one of {}",
            known.join(", ")
        ));
        default
    }

    /// A list of expressions, each for a whole name in whatever case.
    pub(super) fn patterns(&mut self, key: &str) -> Vec<Regex> {
        let list = self
            .text(key)
            .map(|list| pattern::split_list(&list))
            .unwrap_or_default();
        let mut patterns = Vec::with_capacity(list.len());
        for expression in list {
            match pattern::whole_match(&expression, true) {
                Ok(regex) => patterns.push(regex),
                Err(problem) => self.mistake(format!("`{key}`: `{expression}` {problem}")),
            }
        }
        patterns
    }

    /// An include and an exclude list of which at most one is there.
    pub(super) fn include_or_exclude(&mut self, kind: &str) -> (Vec<Regex>, Vec<Regex>) {
        let (include_key, exclude_key) = (
            format!("{kind}.include.list"),
            format!("{kind}.exclude.list"),
        );
        if self.has(&include_key) && self.has(&exclude_key) {
            self.mistake(format!(
                "`{include_key}` and `{exclude_key}` exclude each other"
            ));
        }
        (self.patterns(&include_key), self.patterns(&exclude_key))
    }

    /// Whether a key is there, without counting as read.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| !value.is_empty())
    }

    /// The keys that start with `prefix`, and their values; they count as read.
    pub(super) fn with_prefix(&mut self, prefix: &str) -> Vec<(String, String)> {
        let found: Vec<_> = self
            .values
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        self.read.extend(found.iter().map(|(key, _)| key.clone()));
        found
    }

    /// The keys that nobody has read.
    pub(super) fn unread(&self) -> Vec<String> {
        self.values
            .keys()
            .filter(|key| !self.read.contains(*key))
            .cloned()
            .collect()
    }

    /// The warnings, if nothing was wrong; else all mistakes.
    pub(super) fn finish(self) -> Result<Vec<String>, Vec<String>> {
        if self.mistakes.is_empty() {
            Ok(self.warnings)
        } else {
            Err(self.mistakes)
        }
    }
}
