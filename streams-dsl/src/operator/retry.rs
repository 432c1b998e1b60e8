//! Makes a new value, tries again while that fails for a time, and sends each record one of two
//! ways.

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::Rejected;
use crate::operator::try_map_values::{ACCEPTED, REJECTED, reject};
use crate::option::{RetryPolicy, Retryable};

pub(crate) struct RetryMapValues<F> {
    map: Arc<F>,
    policy: RetryPolicy,
}

impl<F> RetryMapValues<F> {
    pub(crate) fn new(map: Arc<F>, policy: RetryPolicy) -> Self {
        Self { map, policy }
    }
}

impl<K, V, V2, E, F> Processor<K, V, K, Result<V2, Rejected<V, E>>> for RetryMapValues<F>
where
    E: Retryable,
    F: Fn(&K, &V) -> Result<V2, E> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Result<V2, Rejected<V, E>>>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let mut retries = 0;
        loop {
            let error = match (self.map)(&record.key, &record.value) {
                Ok(value) => {
                    context.forward_to(ACCEPTED, record.with_value(Ok(value)));
                    return Ok(());
                }
                Err(error) => error,
            };
            let wait = self.policy.wait_after(retries);
            let Some(wait) = wait.filter(|_| error.is_temporary()) else {
                context.forward_to(REJECTED, reject(record, error, retries));
                return Ok(());
            };
            context.wait(wait);
            retries += 1;
        }
    }
}
