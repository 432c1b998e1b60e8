//! Lists, in the bytes of Java's `ListSerializer` (KIP-466).

use super::{
    Bool, BoxedByteSerde, ByteSerde, ConnectJson, Deserializer, F32, F64, I16, I32, I64, Json,
    Nullable, Presence, SerdeError, Serializer, SharedUtf8, Unit, Utf8, Utf8Lossy, UuidSerde,
    not_null,
};
use crate::record::Headers;

/// How many bytes an element has, which decides a list's format.
///
/// A serde of one's own keeps the default: elements of any size.
pub trait ListElement {
    /// The bytes of every element, if they are always as many as Java's `ListSerializer` knows of
    /// its own serializers.
    const FIXED_BYTES: Option<usize> = None;
}

macro_rules! elements {
    ($($serde:ty $(= $bytes:literal)?),*) => {
        $(impl ListElement for $serde {
            $(const FIXED_BYTES: Option<usize> = Some($bytes);)?
        })*
    };
}

elements!(I16 = 2, I32 = 4, I64 = 8, F32 = 4, F64 = 8, UuidSerde = 36);
elements!(
    Bool,
    BoxedByteSerde,
    ByteSerde,
    ConnectJson,
    Json,
    SharedUtf8,
    Unit,
    Utf8,
    Utf8Lossy
);

impl<S: ListElement> ListElement for Nullable<S> {
    const FIXED_BYTES: Option<usize> = S::FIXED_BYTES;
}

impl<S> ListElement for List<S> {}

/// `Vec<T>` by the serde of `T` (Java's `ListSerializer`); `List(Nullable(…))` for lists that may
/// hold nulls.
///
/// # Examples
/// ```
/// use streams_core::Headers;
/// use streams_core::serde::{I32, List, Serializer};
///
/// let mut bytes = Vec::new();
/// List(I32).serialize("numbers", &mut Headers::new(), &vec![1, 2], &mut bytes)?;
/// assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
/// # Ok::<(), streams_core::serde::SerdeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct List<S>(pub S);

/// Elements of a fixed size: where the nulls are, how many elements, the bytes of those not null.
const FIXED: u8 = 0;
/// Elements of any size: how many, then each with its size before it, -1 for null.
const SIZED: u8 = 1;
const NULL_SIZE: i32 = -1;

impl<T, S: Serializer<T> + ListElement> Serializer<Vec<T>> for List<S> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Vec<T>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let start = buffer.len();
        let outcome = match S::FIXED_BYTES {
            Some(size) => self.write_fixed(topic, headers, data, buffer, size),
            None => self.write_sized(topic, headers, data, buffer),
        };
        outcome.inspect_err(|_| buffer.truncate(start))?;
        Ok(Presence::Bytes)
    }
}

impl<S> List<S> {
    fn write_fixed<T>(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &[T],
        buffer: &mut Vec<u8>,
        size: usize,
    ) -> Result<(), SerdeError>
    where
        S: Serializer<T>,
    {
        let mut nulls: Vec<i32> = Vec::new();
        let mut elements = Vec::with_capacity(data.len() * size);
        for (index, element) in data.iter().enumerate() {
            let before = elements.len();
            match self.0.serialize(topic, headers, element, &mut elements)? {
                Presence::Null => nulls.push(count(index)?),
                Presence::Bytes if elements.len() - before == size => {}
                Presence::Bytes => {
                    let written = elements.len() - before;
                    let message = format!("element {index} has {written} bytes instead of {size}");
                    return Err(SerdeError::new(message));
                }
            }
        }
        buffer.push(FIXED);
        buffer.extend_from_slice(&count(nulls.len())?.to_be_bytes());
        for index in nulls {
            buffer.extend_from_slice(&index.to_be_bytes());
        }
        buffer.extend_from_slice(&count(data.len())?.to_be_bytes());
        buffer.extend_from_slice(&elements);
        Ok(())
    }

    fn write_sized<T>(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &[T],
        buffer: &mut Vec<u8>,
    ) -> Result<(), SerdeError>
    where
        S: Serializer<T>,
    {
        buffer.push(SIZED);
        buffer.extend_from_slice(&count(data.len())?.to_be_bytes());
        let mut bytes = Vec::new();
        for element in data {
            bytes.clear();
            let size = match self.0.serialize(topic, headers, element, &mut bytes)? {
                Presence::Null => NULL_SIZE,
                Presence::Bytes => count(bytes.len())?,
            };
            buffer.extend_from_slice(&size.to_be_bytes());
            buffer.extend_from_slice(&bytes);
        }
        Ok(())
    }
}

fn count(number: usize) -> Result<i32, SerdeError> {
    i32::try_from(number).map_err(|_| SerdeError::new("a list cannot have 2^31 elements or bytes"))
}

impl<T, S: Deserializer<T> + ListElement> Deserializer<Vec<T>> for List<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Vec<T>, SerdeError> {
        let mut input = Input(not_null(data)?);
        let element = |bytes: Option<&[u8]>| self.0.deserialize(topic, headers, bytes);
        let format = input.take(1)?.first().copied();
        let list = match (format, S::FIXED_BYTES) {
            (Some(FIXED), Some(size)) => read_fixed(&mut input, size, element)?,
            (Some(SIZED), None) => read_sized(&mut input, element)?,
            (Some(FIXED | SIZED), _) => {
                return Err(SerdeError::new("a list of elements of another type"));
            }
            _ => {
                return Err(SerdeError::new(
                    "not a list: the first byte is neither 0 nor 1",
                ));
            }
        };
        if input.0.is_empty() {
            Ok(list)
        } else {
            Err(SerdeError::new(format!(
                "{} bytes follow the list",
                input.0.len()
            )))
        }
    }
}

fn read_fixed<T>(
    input: &mut Input<'_>,
    size: usize,
    element: impl Fn(Option<&[u8]>) -> Result<T, SerdeError>,
) -> Result<Vec<T>, SerdeError> {
    let null_count = input.count()?;
    // Each index takes four bytes: the input is a limit to what is allocated.
    let null_bytes = input.take(null_count.saturating_mul(4))?;
    let nulls: std::collections::HashSet<usize> = null_bytes
        .chunks_exact(4)
        .filter_map(|bytes| bytes.try_into().ok().map(i32::from_be_bytes))
        .filter_map(|index| usize::try_from(index).ok())
        .collect();
    let count = input.count()?;
    let mut list = Vec::with_capacity(count.min(nulls.len() + input.0.len() / size.max(1)));
    for index in 0..count {
        let bytes = if nulls.contains(&index) {
            None
        } else {
            Some(input.take(size)?)
        };
        list.push(element(bytes)?);
    }
    Ok(list)
}

fn read_sized<T>(
    input: &mut Input<'_>,
    element: impl Fn(Option<&[u8]>) -> Result<T, SerdeError>,
) -> Result<Vec<T>, SerdeError> {
    let count = input.count()?;
    let mut list = Vec::with_capacity(count.min(input.0.len() / 4));
    for _ in 0..count {
        let bytes = match input.number()? {
            NULL_SIZE => None,
            size => Some(input.take(to_count(size)?)?),
        };
        list.push(element(bytes)?);
    }
    Ok(list)
}

/// The bytes not read yet.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], SerdeError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| {
            SerdeError::new(format!("the list ends early: {bytes} bytes expected"))
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i32, SerdeError> {
        let bytes = self.take(4)?;
        bytes
            .try_into()
            .map(i32::from_be_bytes)
            .map_err(|_| SerdeError::new("not a number"))
    }

    fn count(&mut self) -> Result<usize, SerdeError> {
        self.number().and_then(to_count)
    }
}

fn to_count(number: i32) -> Result<usize, SerdeError> {
    usize::try_from(number)
        .map_err(|_| SerdeError::new(format!("a list cannot have {number} elements or bytes")))
}
