//! Text that may be null, as the Java programs read and write it.

use streams_dsl::serde::{I64, Nullable, Utf8Lossy};
use streams_dsl::{KStream, KTable, StreamsBuilder, Topic};

/// A key or a value.
pub(crate) type Text = Option<String>;

/// A stream of text.
pub(crate) type Texts = KStream<Text, Text>;

/// Nullable text; like Java's, it reads any bytes.
pub(crate) const TEXT: Nullable<Utf8Lossy> = Nullable(Utf8Lossy);

/// A topic of text.
pub(crate) fn topic(name: &str) -> Topic<Text, Text> {
    Topic::new(name, TEXT, TEXT)
}

/// The stream of a topic.
pub(crate) fn stream(builder: &StreamsBuilder, name: &str) -> Texts {
    builder.stream(&topic(name))
}

/// The text, or "null" where Java would write that.
pub(crate) fn or_null(text: &Text) -> &str {
    text.as_deref().unwrap_or("null")
}

/// The text with another behind it, as Java's `+` does it.
pub(crate) fn plus(text: &Text, end: &str) -> Text {
    Some(format!("{}{end}", or_null(text)))
}

/// Puts text behind each value.
pub(crate) fn append(end: &'static str) -> impl Fn(Text) -> Text + Send + Sync + 'static {
    move |value| plus(&value, end)
}

/// Puts text before each value.
pub(crate) fn prepend(start: &'static str) -> impl Fn(Text) -> Text + Send + Sync + 'static {
    move |value| Some(format!("{start}{}", or_null(&value)))
}

/// Whether there is a value.
pub(crate) fn is_some(_: &Text, value: &Text) -> bool {
    value.is_some()
}

/// Whether a value is there and starts with this.
pub(crate) fn starts(with: &'static str) -> impl Fn(&Text, &Text) -> bool + Send + Sync {
    move |_, value| {
        value
            .as_deref()
            .is_some_and(|value| value.starts_with(with))
    }
}

/// In capitals; "NULL" for a null.
pub(crate) fn upper(text: &Text) -> Text {
    Some(or_null(text).to_uppercase())
}

/// A topic of text that is never null, as a table's.
pub(crate) fn plain(name: &str) -> Topic<String, String> {
    Topic::new(name, Utf8Lossy, Utf8Lossy)
}

/// A topic of keys and values of a table, which may be deleted.
pub(crate) fn rows(name: &str) -> Topic<String, Text> {
    Topic::new(name, Utf8Lossy, TEXT)
}

/// A topic of counts.
pub(crate) fn counts(name: &str) -> Topic<String, Option<i64>> {
    Topic::new(name, Utf8Lossy, Nullable(I64))
}

/// The stream of a topic without the records that have no key.
pub(crate) fn keyed(builder: &StreamsBuilder, name: &str) -> KStream<String, Text> {
    stream(builder, name).skip_null_keys()
}

/// The rows of a topic.
pub(crate) fn table(builder: &StreamsBuilder, name: &str) -> KTable<String, String> {
    builder.table(&plain(name))
}
