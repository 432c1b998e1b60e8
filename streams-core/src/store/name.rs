//! Typed names of stores.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

macro_rules! store_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<K, V> {
            name: Cow<'static, str>,
            content: PhantomData<fn() -> (K, V)>,
        }

        impl<K, V> $name<K, V> {
            /// A store of this name; can be a constant.
            pub const fn named(name: &'static str) -> Self {
                Self {
                    name: Cow::Borrowed(name),
                    content: PhantomData,
                }
            }

            /// A store of this name.
            pub fn new(name: impl Into<String>) -> Self {
                Self {
                    name: Cow::Owned(name.into()),
                    content: PhantomData,
                }
            }

            /// The store's name.
            pub fn name(&self) -> &str {
                &self.name
            }
        }

        impl<K, V> Clone for $name<K, V> {
            fn clone(&self) -> Self {
                Self {
                    name: self.name.clone(),
                    content: PhantomData,
                }
            }
        }

        impl<K, V> fmt::Debug for $name<K, V> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.name)
            }
        }
    };
}

store_name! {
    /// The name of a store of values by key, declared once and shared by the operator that fills
    /// it, processors, test drivers and queries.
    ///
    /// ```
    /// use streams_core::store::KeyValueStore;
    ///
    /// const CLICKS: KeyValueStore<String, i64> = KeyValueStore::named("clicks-per-user");
    /// assert_eq!(CLICKS.name(), "clicks-per-user");
    /// ```
    KeyValueStore
}
store_name! {
    /// The name of a store of values by key and the start of a window.
    WindowStore
}
store_name! {
    /// The name of a store of values by key and session.
    SessionStore
}
store_name! {
    /// The name of a store that keeps several versions of each key's value (KIP-889).
    VersionedKeyValueStore
}
