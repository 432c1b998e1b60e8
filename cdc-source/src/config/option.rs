//! The settings that take one of a few values, under Debezium's names.

/// `snapshot.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotMode {
    /// Snapshot at every start, then stream.
    Always,
    /// Snapshot when there is no offset, then stream.
    #[default]
    Initial,
    /// Snapshot, then stop.
    InitialOnly,
    /// Never snapshot, only stream.
    NoData,
    /// Snapshot when there is no offset or when the slot no longer holds it, then stream.
    WhenNeeded,
}

/// `snapshot.isolation.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotIsolation {
    /// The default.
    #[default]
    Serializable,
    /// `repeatable_read`.
    RepeatableRead,
    /// `read_committed`.
    ReadCommitted,
    /// `read_uncommitted`.
    ReadUncommitted,
}

/// `publication.autocreate.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublicationAutocreate {
    /// Create a publication for all tables if it is missing.
    #[default]
    AllTables,
    /// Create or alter a publication that holds exactly the captured tables.
    Filtered,
    /// The publication must exist.
    Disabled,
    /// Create a publication without tables if it is missing.
    NoTables,
}

/// `database.sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never encrypt.
    Disable,
    /// Encrypt only where the server insists.
    Allow,
    /// Encrypt where the server can.
    #[default]
    Prefer,
    /// Insist on encryption.
    Require,
    /// Insist, and check the certificate's chain.
    VerifyCa,
    /// Insist, and check the chain and the host name.
    VerifyFull,
}

/// `decimal.handling.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalHandling {
    /// Connect's Decimal, or Debezium's `VariableScaleDecimal`.
    #[default]
    Precise,
    /// A float64.
    Double,
    /// A string.
    String,
}

/// `time.precision.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimePrecision {
    /// As precise as the column.
    #[default]
    Adaptive,
    /// As `Adaptive`, but times always in microseconds.
    AdaptiveTimeMicroseconds,
    /// Connect's own Date, Time and Timestamp, in days and milliseconds.
    Connect,
    /// ISO 8601 strings.
    IsoString,
    /// Times and timestamps in microseconds.
    Microseconds,
    /// Times and timestamps in nanoseconds.
    Nanoseconds,
}

/// `binary.handling.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinaryHandling {
    /// Connect's bytes.
    #[default]
    Bytes,
    /// A base64 string.
    Base64,
    /// A base64 string in the URL-safe alphabet.
    Base64UrlSafe,
    /// A string of lower-case hexadecimal digits.
    Hex,
}

/// `decimal.format` of the `JsonConverter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalFormat {
    /// Base64 of the unscaled value.
    #[default]
    Base64,
    /// A JSON number.
    Numeric,
}

/// `skipped.operations`: the operations that leave no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a set of four operations, each in or out"
)]
pub struct SkippedOperations {
    /// Inserts (`c`).
    pub create: bool,
    /// Updates (`u`).
    pub update: bool,
    /// Deletes (`d`).
    pub delete: bool,
    /// Truncates (`t`).
    pub truncate: bool,
}

impl Default for SkippedOperations {
    fn default() -> Self {
        Self {
            create: false,
            update: false,
            delete: false,
            truncate: true,
        }
    }
}

/// `event.converting.failure.handling.mode`: what becomes of a value that its column's type in
/// events has no place for, as NaN in a Decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConversionFailure {
    /// It leaves as null, and the log tells of the column.
    #[default]
    Warn,
    /// It leaves as null.
    Skip,
    /// The connector stops.
    Fail,
}

/// `event.processing.failure.handling.mode`: what becomes of a change that cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessingFailure {
    /// The connector stops.
    #[default]
    Fail,
    /// The change is left out, and the log tells of it and of its position.
    Warn,
    /// The change is left out (`skip`, `ignore`).
    Skip,
}

impl SkippedOperations {
    /// No operation is skipped (`none`).
    pub const NONE: Self = Self {
        create: false,
        update: false,
        delete: false,
        truncate: false,
    };
}
