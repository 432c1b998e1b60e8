//! Options of operators.

mod consumed;
mod grouped;
mod joined;
mod materialized;
mod printed;
mod produced;
mod repartitioned;
mod retry;
mod stream_joined;
mod table_joined;

pub use consumed::Consumed;
pub use grouped::Grouped;
pub use joined::Joined;
pub use materialized::Materialized;
pub use printed::Printed;
pub use produced::Produced;
pub use repartitioned::Repartitioned;
pub use retry::{RetryPolicy, Retryable};
pub use stream_joined::StreamJoined;
pub use table_joined::TableJoined;
