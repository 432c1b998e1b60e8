//! When the results of windows are emitted.

/// When the results of windows are emitted
/// (`org.apache.kafka.streams.kstream.EmitStrategy`, KIP-825).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmitStrategy {
    /// With each change, as far as the cache does not keep it back (`EmitStrategy.onWindowUpdate`).
    #[default]
    OnWindowUpdate,
    /// Once, when the window has closed: stream time has passed its end by the grace period
    /// (`EmitStrategy.onWindowClose`).
    ///
    /// What has closed is looked for when a record comes, at most once a second; until when that
    /// was done is committed with the offsets, so that a restart goes on there. A window that
    /// expires by a leap of stream time before it was emitted is lost, as on the JVM: a longer
    /// retention than the default keeps it.
    OnWindowClose,
}
