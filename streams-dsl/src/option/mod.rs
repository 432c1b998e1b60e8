//! Options of operators.

mod consumed;
mod deduplicated;
mod emit_strategy;
mod grouped;
mod joined;
mod materialized;
mod printed;
mod produced;
mod repartitioned;
mod retry;
mod stream_joined;
mod suppressed;
mod table_joined;

pub use consumed::Consumed;
pub use deduplicated::Deduplicated;
pub use emit_strategy::EmitStrategy;
pub use grouped::Grouped;
pub use joined::Joined;
pub use materialized::Materialized;
pub use printed::Printed;
pub use produced::Produced;
pub use repartitioned::Repartitioned;
pub use retry::{RetryPolicy, Retryable};
pub use stream_joined::StreamJoined;
pub(crate) use suppressed::Wait;
pub use suppressed::{
    BufferConfig, EagerBufferConfig, EmitEarlyWhenFull, ShutDownWhenFull, StrictBufferConfig,
    Suppressed, WhenFull,
};
pub use table_joined::TableJoined;
