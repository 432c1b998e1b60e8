//! The JSON document around the settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Takes `{"name": …, "config": {…}}` or the bare settings apart: all settings as text, `name`
/// among them.
///
/// Numbers and booleans count as text, as in Connect; a null is as good as absent.
pub(super) fn settings(text: &str) -> Result<BTreeMap<String, String>, Vec<String>> {
    let document: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| vec![format!("it is no JSON object of settings: {error}")])?;
    let mut mistakes = Vec::new();
    let is_wrapped = matches!(document.get("config"), Some(Value::Object(_)));
    let (outer_name, map) = if is_wrapped {
        let mut document = document;
        let name = document.remove("name");
        let config = document.remove("config");
        for key in document.keys().filter(|key| *key != "initial_state") {
            mistakes.push(format!(
                "`{key}` stands beside `config`, where only `name` belongs"
            ));
        }
        match config {
            Some(Value::Object(map)) => (name, map),
            _ => (name, Map::new()),
        }
    } else {
        (None, document)
    };
    let mut settings = BTreeMap::new();
    for (key, value) in map {
        match value {
            Value::Null => {}
            Value::String(text) => {
                settings.insert(key, text.trim().to_owned());
            }
            Value::Bool(_) | Value::Number(_) => {
                settings.insert(key, value.to_string());
            }
            Value::Array(_) | Value::Object(_) => {
                mistakes.push(format!("`{key}` is no text"));
            }
        }
    }
    match outer_name {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => {
            if settings.get("name").is_some_and(|inner| *inner != name) {
                mistakes.push("`name` beside `config` differs from `name` in it".to_owned());
            }
            settings.insert("name".to_owned(), name);
        }
        Some(_) => mistakes.push("`name` is no text".to_owned()),
    }
    for (key, value) in &settings {
        if names_a_provider(value) {
            mistakes.push(format!(
                "`{key}` names a config provider, which is not supported"
            ));
        }
    }
    if mistakes.is_empty() {
        Ok(settings)
    } else {
        Err(mistakes)
    }
}

/// Whether a value holds `${provider:…}`, which Connect would replace.
fn names_a_provider(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, reference)) = rest.split_once("${") {
        if reference
            .split('}')
            .next()
            .is_some_and(|name| name.contains(':'))
        {
            return true;
        }
        rest = reference;
    }
    false
}
