//! A `java.util.TreeSet` whose elements change places in the ordering after they were added.
//!
//! The JVM's description of a topology keeps nodes in such sets while the sizes they are sorted by
//! still grow. Where a later element goes then depends on the shape of the red-black tree, so the
//! tree is built here as it is there.

use std::cmp::Ordering;

/// A set of node indices, as a red-black tree.
#[derive(Debug, Clone, Default)]
pub(super) struct TreeSet {
    entries: Vec<Entry>,
    root: Option<usize>,
}

#[derive(Debug, Clone)]
struct Entry {
    value: usize,
    children: [Option<usize>; 2],
    parent: Option<usize>,
    is_red: bool,
}

const LEFT: usize = 0;
const RIGHT: usize = 1;

impl TreeSet {
    /// A set without values.
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            root: None,
        }
    }

    /// Adds a value where `compare` leads to now, unless it meets an equal one on its way.
    pub(super) fn insert(&mut self, value: usize, compare: impl Fn(usize, usize) -> Ordering) {
        let (mut place, mut parent) = (self.root, None);
        let mut side = LEFT;
        while let Some(entry) = place.and_then(|index| self.entries.get(index)) {
            side = match compare(value, entry.value) {
                Ordering::Less => LEFT,
                Ordering::Greater => RIGHT,
                Ordering::Equal => return,
            };
            parent = place;
            place = entry.children.get(side).copied().flatten();
        }
        let added = self.entries.len();
        self.entries.push(Entry {
            value,
            children: [None, None],
            parent,
            is_red: true,
        });
        self.set_child(parent, side, Some(added));
        self.rebalance(added);
    }

    /// The values from left to right.
    pub(super) fn values(&self) -> Vec<usize> {
        let mut values = Vec::with_capacity(self.entries.len());
        let (mut path, mut place) = (Vec::new(), self.root);
        loop {
            while let Some(index) = place {
                path.push(index);
                place = self.child(Some(index), LEFT);
            }
            let Some(index) = path.pop() else {
                return values;
            };
            values.extend(self.entries.get(index).map(|entry| entry.value));
            place = self.child(Some(index), RIGHT);
        }
    }

    /// Restores the red-black rules above a red entry (Cormen et al., `RB-INSERT-FIXUP`).
    fn rebalance(&mut self, added: usize) {
        let mut place = added;
        while let Some(parent) = self
            .parent(place)
            .filter(|parent| self.is_red(Some(*parent)))
        {
            let Some(grandparent) = self.parent(parent) else {
                break;
            };
            let side = self.side_of(parent, grandparent);
            let uncle = self.child(Some(grandparent), 1 - side);
            if self.is_red(uncle) {
                self.paint(Some(parent), false);
                self.paint(uncle, false);
                self.paint(Some(grandparent), true);
                place = grandparent;
                continue;
            }
            if self.side_of(place, parent) != side {
                place = parent;
                self.rotate(place, side);
            }
            let parent = self.parent(place);
            self.paint(parent, false);
            self.paint(Some(grandparent), true);
            self.rotate(grandparent, 1 - side);
        }
        self.paint(self.root, false);
    }

    /// Moves an entry down to `side`, and its child of the other side up in its place.
    fn rotate(&mut self, down: usize, side: usize) {
        let Some(up) = self.child(Some(down), 1 - side) else {
            return;
        };
        let above = self.parent(down);
        let above_side = above.map_or(LEFT, |above| self.side_of(down, above));
        let moved = self.child(Some(up), side);
        self.set_child(Some(down), 1 - side, moved);
        self.set_child(above, above_side, Some(up));
        self.set_child(Some(up), side, Some(down));
    }

    fn set_child(&mut self, parent: Option<usize>, side: usize, child: Option<usize>) {
        match parent.and_then(|parent| self.entries.get_mut(parent)) {
            None => self.root = child,
            Some(entry) => {
                if let Some(place) = entry.children.get_mut(side) {
                    *place = child;
                }
            }
        }
        if let Some(entry) = child.and_then(|child| self.entries.get_mut(child)) {
            entry.parent = parent;
        }
    }

    fn parent(&self, index: usize) -> Option<usize> {
        self.entries.get(index).and_then(|entry| entry.parent)
    }

    fn child(&self, index: Option<usize>, side: usize) -> Option<usize> {
        let entry = self.entries.get(index?)?;
        entry.children.get(side).copied().flatten()
    }

    fn side_of(&self, child: usize, parent: usize) -> usize {
        usize::from(self.child(Some(parent), LEFT) != Some(child))
    }

    fn is_red(&self, index: Option<usize>) -> bool {
        let entry = index.and_then(|index| self.entries.get(index));
        entry.is_some_and(|entry| entry.is_red)
    }

    fn paint(&mut self, index: Option<usize>, is_red: bool) {
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            entry.is_red = is_red;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_sorted_whatever_the_order_they_went_in() {
        for step in [1, 7, 29, 63] {
            let mut set = TreeSet::new();
            for value in (0..64).map(|value| value * step % 64) {
                set.insert(value, |one, other| one.cmp(&other));
            }
            let mut expected: Vec<usize> = (0..64).map(|value| value * step % 64).collect();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(set.values(), expected);
        }
    }
}
