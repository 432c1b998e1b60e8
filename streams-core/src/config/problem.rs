//! Every mistake of a configuration, gathered into one message.

use crate::error::{Error, ErrorKind};

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// A setting whose value is wrong; the value is not shown if it may be a secret.
    pub(super) fn value(&mut self, key: &str, value: &str, complaint: &str) {
        if is_secret(key) {
            self.key(key, complaint);
        } else {
            self.0
                .push(format!("`{key}` {complaint}, but is `{value}`"));
        }
    }

    /// A setting that is wrong whatever its value.
    pub(super) fn key(&mut self, key: &str, complaint: &str) {
        self.0.push(format!("`{key}` {complaint}"));
    }

    /// A key that nothing knows, with the nearest of the known ones.
    pub(super) fn unknown<'a>(&mut self, key: &str, known: impl Iterator<Item = &'a str>) {
        match nearest(key, known) {
            Some(known) => self
                .0
                .push(format!("`{key}` is unknown, did you mean `{known}`?")),
            None => self.0.push(format!("`{key}` is unknown")),
        }
    }

    /// All mistakes as one error, or nothing if there is none.
    pub(super) fn into_error(mut self) -> Option<Error> {
        // A setting given to several clients is wrong once.
        let mut seen = std::collections::HashSet::new();
        self.0.retain(|problem| seen.insert(problem.clone()));
        let message = match self.0.as_slice() {
            [] => return None,
            [only] => format!("wrong configuration: {only}"),
            many => format!(
                "wrong configuration: {} mistakes\n  {}",
                many.len(),
                many.join("\n  ")
            ),
        };
        Some(Error::new(ErrorKind::Config, message))
    }
}

/// Whether a setting's value must never be shown.
pub(super) fn is_secret(key: &str) -> bool {
    const SECRET: &[&str] = &[
        "password",
        "secret",
        "jaas",
        "passphrase",
        ".pem",
        "keystore.key",
        "credentials",
        "token",
    ];
    SECRET.iter().any(|word| key.contains(word))
}

/// The known key that takes the fewest edits to reach, if it is near enough to be meant.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (key.chars().count() / 4).max(2);
    known
        .map(|candidate| (edit_distance(key, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.chars().enumerate() {
        let mut diagonal = row;
        let mut beside = row + 1;
        let mut current = vec![beside];
        for (b, above) in right.iter().zip(previous.iter().skip(1)) {
            beside = (diagonal + usize::from(a != *b))
                .min(beside + 1)
                .min(above + 1);
            diagonal = *above;
            current.push(beside);
        }
        previous = current;
    }
    previous.last().copied().unwrap_or_default()
}
