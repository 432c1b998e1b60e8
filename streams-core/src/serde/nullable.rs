//! Null as a value.

use std::any::Any;
use std::sync::Arc;

use crate::record::Headers;
use crate::serde::{Deserializer, Presence, Serde, SerdeError, Serializer, SharedSerde};

/// Lets a null through as `None`, and all else to the inner serde.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nullable<S>(pub S);

impl<T, S> Serializer<Option<T>> for Nullable<S>
where
    T: 'static,
    S: Serde<T> + 'static,
{
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Option<T>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        match data {
            None => Ok(Presence::Null),
            Some(data) => self.0.serialize(topic, headers, data, buffer),
        }
    }

    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        self.0.base_key(key)
    }

    fn inner_non_null(self: Arc<Self>) -> Option<Box<dyn Any>> {
        let inner: SharedSerde<T> = Arc::new(NonNull(self));
        Some(Box::new(inner))
    }
}

impl<T, S: Deserializer<T>> Deserializer<Option<T>> for Nullable<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Option<T>, SerdeError> {
        match data {
            None => Ok(None),
            Some(_) => self.0.deserialize(topic, headers, data).map(Some),
        }
    }
}

/// The serde within a nullable one, for what is never null.
///
/// `None` if the serde is not a [`Nullable`] one.
pub fn non_null<T: 'static>(serde: &SharedSerde<Option<T>>) -> Option<SharedSerde<T>> {
    let inner = Arc::clone(serde).inner_non_null()?;
    inner.downcast::<SharedSerde<T>>().ok().map(|inner| *inner)
}

/// What is within a shared [`Nullable`].
struct NonNull<S>(Arc<Nullable<S>>);

impl<T, S: Serializer<T>> Serializer<T> for NonNull<S> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        self.0.0.serialize(topic, headers, data, buffer)
    }

    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        self.0.0.base_key(key)
    }
}

impl<T, S: Deserializer<T>> Deserializer<T> for NonNull<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<T, SerdeError> {
        self.0.0.deserialize(topic, headers, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serde::{I64, Utf8};

    #[test]
    fn the_serde_within_a_nullable_one_is_found() {
        let nullable: SharedSerde<Option<i64>> = Arc::new(Nullable(I64));
        let inner = non_null(&nullable).unwrap();
        let mut bytes = Vec::new();
        let written = inner.serialize("t", &mut Headers::new(), &258, &mut bytes);
        assert_eq!(written.unwrap(), Presence::Bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2]);
        let read = inner.deserialize("t", &Headers::new(), Some(&bytes));
        assert_eq!(read.unwrap(), 258);
    }

    #[test]
    fn it_is_found_behind_a_second_pointer() {
        let shared: SharedSerde<Option<String>> = Arc::new(Nullable(Utf8));
        let twice: SharedSerde<Option<String>> = Arc::new(shared);
        assert!(non_null(&twice).is_some());
    }
}
