//! Running a topology without a broker, for tests.

mod collector;
mod driver;
mod mock_context;

#[cfg(test)]
pub(crate) use collector::MemoryCollector;
pub use driver::{TopologyTestDriver, TopologyTestDriverBuilder};
pub use mock_context::{CapturedForward, MockProcessorContext};
