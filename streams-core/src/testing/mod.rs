//! Running a topology without a broker, for tests.

mod collector;
mod driver;

pub use driver::{TopologyTestDriver, TopologyTestDriverBuilder};
