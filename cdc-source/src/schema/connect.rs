//! Connect schemas, rendered as `JsonConverter` does.

use crate::envelope::quoted;

/// The schema of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectSchema {
    /// `"type":"…"`, with `,"fields":[…]` behind it for a struct.
    kind: String,
    /// Whether the value may be null.
    pub(crate) optional: bool,
    name: Option<String>,
    version: Option<u32>,
    doc: Option<&'static str>,
    parameters: Vec<(&'static str, String)>,
    /// The default as JSON.
    pub(crate) default: Option<String>,
}

impl ConnectSchema {
    /// A schema of a primitive type, under `JsonConverter`'s name for it.
    pub(crate) fn primitive(type_name: &str) -> Self {
        Self {
            kind: format!("\"type\":\"{type_name}\""),
            optional: false,
            name: None,
            version: None,
            doc: None,
            parameters: Vec::new(),
            default: None,
        }
    }

    /// A primitive with a semantic name, version 1.
    pub(crate) fn named(type_name: &str, name: &str) -> Self {
        let mut schema = Self::primitive(type_name);
        schema.name = Some(name.to_owned());
        schema.version = Some(1);
        schema
    }

    /// A struct's schema as a field.
    pub(crate) fn of_struct(schema: &StructSchema) -> Self {
        let mut field = Self::primitive("struct");
        field.kind.push_str(",\"fields\":[");
        field.kind.push_str(&schema.fields_json());
        field.kind.push(']');
        field.optional = schema.optional;
        field.name = Some(schema.name.clone());
        field.version = schema.version;
        field
    }

    pub(crate) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(crate) fn with_doc(mut self, doc: &'static str) -> Self {
        self.doc = Some(doc);
        self
    }

    pub(crate) fn with_parameter(mut self, key: &'static str, value: String) -> Self {
        self.parameters.push((key, value));
        self
    }

    pub(crate) fn with_default(mut self, json: Option<String>) -> Self {
        self.default = json;
        self
    }

    /// The schema's JSON; with a name, as an entry of a struct's `fields`.
    pub(crate) fn to_json(&self, field: Option<&str>) -> String {
        let mut parts = vec![self.kind.clone(), format!("\"optional\":{}", self.optional)];
        parts.extend(
            self.name
                .as_ref()
                .map(|name| format!("\"name\":{}", quoted(name))),
        );
        parts.extend(self.version.map(|version| format!("\"version\":{version}")));
        parts.extend(self.doc.map(|doc| format!("\"doc\":{}", quoted(doc))));
        if !self.parameters.is_empty() {
            let parameters: Vec<String> = self
                .parameters
                .iter()
                .map(|(key, value)| format!("\"{key}\":{}", quoted(value)))
                .collect();
            parts.push(format!("\"parameters\":{{{}}}", parameters.join(",")));
        }
        parts.extend(
            self.default
                .as_ref()
                .map(|default| format!("\"default\":{default}")),
        );
        parts.extend(field.map(|field| format!("\"field\":{}", quoted(field))));
        format!("{{{}}}", parts.join(","))
    }
}

/// The schema of a struct: a key, a row, an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StructSchema {
    /// The fields with their names, in order.
    pub(crate) fields: Vec<(String, ConnectSchema)>,
    /// Whether the struct may be null.
    pub(crate) optional: bool,
    /// The schema's name.
    pub(crate) name: String,
    /// The schema's version.
    pub(crate) version: Option<u32>,
}

impl StructSchema {
    /// A required struct without a version.
    pub(crate) fn new(name: impl Into<String>, fields: Vec<(String, ConnectSchema)>) -> Self {
        Self {
            fields,
            optional: false,
            name: name.into(),
            version: None,
        }
    }

    pub(crate) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(crate) fn with_version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    fn fields_json(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(name, schema)| schema.to_json(Some(name)))
            .collect();
        fields.join(",")
    }

    /// The schema's JSON.
    pub(crate) fn to_json(&self) -> String {
        ConnectSchema::of_struct(self).to_json(None)
    }
}
