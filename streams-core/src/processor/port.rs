//! Typed edges between the nodes of one task.
//!
//! A linked task is a graph of [`Port`]s on one thread: a record is moved along an edge by a typed
//! call, without boxing. The graph has no cycles, so a node is never entered twice and its
//! `RefCell` never refuses.

use std::cell::RefCell;
use std::rc::Rc;

use crate::processor::task_context::TaskContext;
use crate::record::Record;

/// What takes records: a processor or a sink.
pub(crate) trait Push<K, V> {
    /// Takes a record and all that follows from it, depth first.
    fn push(&mut self, task: &mut TaskContext, record: Record<K, V>);
}

/// One end of an edge: where a record of `K` and `V` can be pushed.
pub(crate) type Port<K, V> = Rc<RefCell<dyn Push<K, V>>>;

/// Copies a record for one more child; known only where the key and the value are `Clone`.
pub(crate) type CopyRecord<K, V> = fn(&Record<K, V>) -> Record<K, V>;

/// The children of a node, in the order in which they were added.
pub(crate) struct Fanout<K, V> {
    children: Vec<Port<K, V>>,
    copy: Option<CopyRecord<K, V>>,
}

impl<K, V> Fanout<K, V> {
    pub(crate) fn new(children: Vec<Port<K, V>>, copy: Option<CopyRecord<K, V>>) -> Self {
        Self { children, copy }
    }

    /// Moves the record to the only child; with several, all but the last get a copy.
    #[inline]
    pub(crate) fn push(&self, task: &mut TaskContext, record: Record<K, V>) {
        match (self.children.as_slice(), self.copy) {
            ([], _) => {}
            ([only], _) => only.borrow_mut().push(task, record),
            ([others @ .., last], Some(copy)) => {
                for child in others {
                    child.borrow_mut().push(task, copy(&record));
                    if task.has_failed() {
                        return;
                    }
                }
                last.borrow_mut().push(task, record);
            }
            ([first, ..], None) => first.borrow_mut().push(task, record),
        }
    }

    /// Moves the record to one child.
    #[inline]
    pub(crate) fn push_to(&self, child: usize, task: &mut TaskContext, record: Record<K, V>) {
        if let Some(child) = self.children.get(child) {
            child.borrow_mut().push(task, record);
        }
    }

    /// Whether there are several children and no way to copy a record for each.
    #[inline]
    pub(crate) fn lacks_copies(&self) -> bool {
        self.copy.is_none() && self.children.len() > 1
    }

    pub(crate) fn len(&self) -> usize {
        self.children.len()
    }
}
