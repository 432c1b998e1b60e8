//! A processor in its place in a task.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::processor::context::ProcessorContext;
use crate::processor::handler::FailureOrigin;
use crate::processor::port::{Fanout, Push};
use crate::processor::punctuate::Punctuation;
use crate::processor::task_context::{TaskContext, Tries};
use crate::processor::{Processor, ProcessorError};
use crate::record::Record;
use crate::store::{Left, RecordOrigin, StoreContext};

/// What the task calls on each of its processors, whatever their types.
pub(crate) trait Lifecycle {
    /// Prepares the processor.
    ///
    /// # Errors
    /// If the processor's own `init` fails.
    fn init(&mut self, task: &mut TaskContext) -> Result<(), Error>;

    fn punctuate(&mut self, task: &mut TaskContext, due: Punctuation, timestamp_ms: i64);

    /// Lets the processor send what it keeps back, before a commit.
    fn flush(&mut self, task: &mut TaskContext);

    fn close(&mut self);
}

/// A processor, its name and its children.
pub(crate) struct ProcessorNode<P, KIn, VIn, KOut, VOut> {
    processor: P,
    children: Fanout<KOut, VOut>,
    id: usize,
    name: Rc<str>,
    /// Where its stores see the record at hand.
    stores: Option<Rc<StoreContext>>,
    input: PhantomData<fn(KIn, VIn)>,
}

impl<P, KIn, VIn, KOut, VOut> ProcessorNode<P, KIn, VIn, KOut, VOut>
where
    P: Processor<KIn, VIn, KOut, VOut>,
{
    pub(crate) fn new(
        processor: P,
        children: Fanout<KOut, VOut>,
        id: usize,
        name: Rc<str>,
        stores: Option<Rc<StoreContext>>,
    ) -> Self {
        Self {
            processor,
            children,
            id,
            name,
            stores,
            input: PhantomData,
        }
    }

    /// Shows the record to the node's stores.
    #[inline]
    fn enter(&self, task: &TaskContext, record: &Record<KIn, VIn>) -> Option<Left> {
        let stores = self.stores.as_ref()?;
        let origin = || {
            let current = task.current.as_ref()?;
            Some(RecordOrigin {
                topic: Arc::clone(&current.topic),
                partition: current.partition,
                offset: current.raw.offset,
            })
        };
        Some(stores.enter(record.timestamp_ms, &record.headers, origin))
    }

    /// Retries while the handler says so; the handler has done the rest when this returns.
    #[cold]
    fn failed(
        &mut self,
        task: &mut TaskContext,
        mut error: ProcessorError,
        copy: Option<Record<KIn, VIn>>,
    ) {
        let mut copy = copy;
        let mut retries = 0;
        // No handler can leave out a record whose store has failed: later ones would be wrong.
        if let Some(failure) = store_failure(&*error) {
            return task.fail(failure);
        }
        loop {
            let tries = match copy {
                Some(_) => Tries::repeatable(retries),
                None => Tries {
                    retries,
                    ..Tries::ONCE
                },
            };
            let origin = FailureOrigin::Processing;
            let Some(wait) = task.handle_failure(origin, &self.name, &*error, tries) else {
                return;
            };
            let Some(record) = copy.take() else { return };
            task.environment.clock.sleep(wait);
            retries += 1;
            copy = self.processor.copy_for_retry(&record);
            let mut context = ProcessorContext::new(task, &self.children, self.id, &self.name);
            match self.processor.process(&mut context, record) {
                Ok(()) => return,
                Err(next) => error = next,
            }
        }
    }
}

impl<P, KIn, VIn, KOut, VOut> Push<KIn, VIn> for ProcessorNode<P, KIn, VIn, KOut, VOut>
where
    P: Processor<KIn, VIn, KOut, VOut>,
{
    #[inline]
    fn push(&mut self, task: &mut TaskContext, record: Record<KIn, VIn>) {
        let before = self.enter(task, &record);
        let copy = if task.retries_processing {
            self.processor.copy_for_retry(&record)
        } else {
            None
        };
        let mut context = ProcessorContext::new(task, &self.children, self.id, &self.name);
        if let Err(error) = self.processor.process(&mut context, record) {
            self.failed(task, error, copy);
        }
        if let (Some(stores), Some(before)) = (&self.stores, before) {
            stores.leave(before);
        }
    }
}

impl<P, KIn, VIn, KOut, VOut> Lifecycle for ProcessorNode<P, KIn, VIn, KOut, VOut>
where
    P: Processor<KIn, VIn, KOut, VOut>,
{
    fn init(&mut self, task: &mut TaskContext) -> Result<(), Error> {
        let id = task.id;
        let mut context = ProcessorContext::new(task, &self.children, self.id, &self.name);
        self.processor.init(&mut context).map_err(|error| {
            let message = format!(
                "cannot initialise the processor node={} task={id}",
                self.name
            );
            Error::with_source(ErrorKind::Processing, message, error)
        })
    }

    fn punctuate(&mut self, task: &mut TaskContext, due: Punctuation, timestamp_ms: i64) {
        task.punctuation_ms = timestamp_ms;
        if let Some(stores) = &self.stores {
            stores.set_timestamp_ms(timestamp_ms);
        }
        let mut context = ProcessorContext::new(task, &self.children, self.id, &self.name);
        if let Err(error) = self.processor.punctuate(&mut context, due, timestamp_ms) {
            self.failed(task, error, None);
        }
    }

    fn flush(&mut self, task: &mut TaskContext) {
        let mut context = ProcessorContext::new(task, &self.children, self.id, &self.name);
        if let Err(error) = self.processor.flush(&mut context) {
            self.failed(task, error, None);
        }
    }

    fn close(&mut self) {
        self.processor.close();
    }
}

/// The failure of a store or a producer that a processor has met, which no handler is asked about.
fn store_failure(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let error = error.downcast_ref::<Error>()?;
    let ends_task = matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::Fenced | ErrorKind::Broker | ErrorKind::Production
    );
    ends_task.then(|| Error::new(error.kind(), error.to_string()))
}
