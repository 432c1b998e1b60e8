//! What the transforms come to for one table.

use std::sync::Arc;

use super::ExtractPlan;
use crate::Result;
use crate::config::{ConnectorConfig, TransformConfig};
use crate::schema::Table;

/// The transforms of a connector, applied to one table.
#[derive(Debug)]
pub(crate) struct TransformPlan {
    /// The topic of the table's records, unless a row's own value decides.
    pub(crate) topic: Arc<str>,
    /// What `ExtractNewRecordState` does, if it is there.
    pub(crate) extract: Option<ExtractPlan>,
}

impl TransformPlan {
    /// Applies the transforms in order. `columns` are the row's.
    pub(crate) fn new(
        config: &ConnectorConfig,
        table: &Table,
        topic: &str,
        columns: &[usize],
    ) -> Result<Self> {
        let mut routed = topic.to_owned();
        let mut extract: Option<ExtractPlan> = None;
        let mut was_routed = false;
        for transform in &config.transforms {
            match transform {
                TransformConfig::Route(route) => {
                    if let Some(name) = route.apply(&routed) {
                        routed = name;
                        was_routed = true;
                    }
                    if let Some(by_field) = extract.as_mut().and_then(|plan| plan.route.as_mut()) {
                        by_field.later.push(route.clone());
                    }
                }
                TransformConfig::Extract(settings) => {
                    extract = Some(ExtractPlan::new(
                        config,
                        settings,
                        table,
                        columns,
                        !was_routed,
                    )?);
                }
            }
        }
        Ok(Self {
            topic: routed.into(),
            extract,
        })
    }
}
