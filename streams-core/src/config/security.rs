//! TLS and SASL settings: from key stores and JAAS to what librdkafka reads.

use super::client::Given;
use super::translate::Translation;

/// Translates one of the settings that depend on their value or on each other.
pub(super) fn translate(translation: &mut Translation<'_, '_, '_>, name: &str, given: &Given) {
    let value = given.value.as_str();
    match name {
        "security.protocol" => translation.put(name, given, &value.to_lowercase()),
        "sasl.mechanism" => mechanism(translation, given),
        "sasl.jaas.config" => jaas(translation, given),
        "ssl.endpoint.identification.algorithm" => {
            let algorithm = if value.is_empty() {
                "none".to_owned()
            } else {
                value.to_lowercase()
            };
            translation.put(name, given, &algorithm);
        }
        "ssl.cipher.suites" if value.contains("TLS_") => {
            translation
                .reader
                .warn(&given.key, "is ignored: give OpenSSL's names, not Java's");
        }
        "ssl.truststore.location" => trust_store(translation, given),
        "ssl.keystore.location" => key_store(translation, given),
        "ssl.keystore.password" => {
            if store_type(translation, "ssl.keystore") == StoreType::Pkcs12 {
                translation.put(name, given, value);
            }
        }
        "ssl.keystore.type" | "ssl.truststore.type" => {
            if !["JKS", "PKCS12", "PEM"].contains(&value.to_uppercase().as_str()) {
                translation.refuse(given, "must be PEM, PKCS12 or JKS");
            }
        }
        _ => translation.put(name, given, value),
    }
}

fn mechanism(translation: &mut Translation<'_, '_, '_>, given: &Given) {
    let mechanism = given.value.to_uppercase();
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => {
            translation.put("sasl.mechanism", given, &mechanism);
        }
        _ => translation.refuse(given, "must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
    }
}

/// Takes the user name and the password of a login module for PLAIN or SCRAM.
fn jaas(translation: &mut Translation<'_, '_, '_>, given: &Given) {
    let Some((module, options)) = parse_jaas(&given.value) else {
        let form = "must have the form `<login module> required username=\"…\" password=\"…\";`";
        translation.refuse(given, form);
        return;
    };
    let simple = module.rsplit('.').next().unwrap_or_default();
    if !["PlainLoginModule", "ScramLoginModule"].contains(&simple) {
        translation.refuse(given, "must name PlainLoginModule or ScramLoginModule");
        return;
    }
    for (option, setting) in [("username", "sasl.username"), ("password", "sasl.password")] {
        match options.iter().find(|(name, _)| name == option) {
            Some((_, value)) => translation.put(setting, given, value),
            None => translation.refuse(given, &format!("has no {option}")),
        }
    }
}

/// The login module and the options of a JAAS entry.
fn parse_jaas(entry: &str) -> Option<(&str, Vec<(String, String)>)> {
    let entry = entry.trim().strip_suffix(';')?;
    let (module, rest) = entry.trim().split_once(char::is_whitespace)?;
    let (_flag, mut rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let mut options = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some((module, options));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = jaas_value(after.trim_start())?;
        options.push((name.trim().to_owned(), value));
        rest = after;
    }
}

/// A quoted value, with backslash escapes, or a bare word; and what follows it.
fn jaas_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return Some((word.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(index + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// The formats of Java's key and trust stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreType {
    Pem,
    Pkcs12,
    Jks,
}

/// The format given with `<store>.type`, else the one the file's name tells, else Java's default.
fn store_type(translation: &Translation<'_, '_, '_>, store: &str) -> StoreType {
    let location = translation
        .other(&format!("{store}.location"))
        .unwrap_or_default();
    let extension = location
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    match translation
        .other(&format!("{store}.type"))
        .map(str::to_uppercase)
        .as_deref()
    {
        Some("PEM") => StoreType::Pem,
        Some("PKCS12") => StoreType::Pkcs12,
        Some(_) => StoreType::Jks,
        None => match extension.as_str() {
            "pem" | "crt" | "cer" => StoreType::Pem,
            "p12" | "pfx" => StoreType::Pkcs12,
            _ => StoreType::Jks,
        },
    }
}

fn trust_store(translation: &mut Translation<'_, '_, '_>, given: &Given) {
    match store_type(translation, "ssl.truststore") {
        StoreType::Pem => translation.put("ssl.ca.location", given, &given.value),
        StoreType::Pkcs12 | StoreType::Jks => {
            translation.refuse(given, "must be a PEM file (ssl.truststore.type=PEM)");
        }
    }
}

fn key_store(translation: &mut Translation<'_, '_, '_>, given: &Given) {
    match store_type(translation, "ssl.keystore") {
        // Kafka's PEM key store holds the key and the certificate chain in one file.
        StoreType::Pem => {
            translation.put("ssl.key.location", given, &given.value);
            translation.put("ssl.certificate.location", given, &given.value);
        }
        StoreType::Pkcs12 => translation.put("ssl.keystore.location", given, &given.value),
        StoreType::Jks => {
            translation.refuse(given, "must be a PEM or PKCS12 file (ssl.keystore.type)");
        }
    }
}
