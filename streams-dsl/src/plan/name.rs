//! Names of nodes, stores and topics: the user's, or the ones that the JVM would give.
//!
//! The JVM numbers everything that an operator is made of from one counter, in the order in which
//! its code asks for names, and in most cases whether or not the user's name makes the number
//! useless, so that naming one node does not rename others (`NamedInternal`). So each operator has
//! a script that asks a [`Namer`] for the names of all its parts, in that order. Scripts run when
//! the plan is built, since the user names an operator after it is made.

use std::sync::Arc;

use crate::plan::node::{Node, OperatorId, PartName, PlanId};

/// The kinds of parts that operators have; an operator may name others.
pub(crate) mod part {
    /// The operator's main node.
    pub(crate) const NODE: &str = "node";
    /// Its store.
    pub(crate) const STORE: &str = "store";
    /// The repartition topic before it, without the application's id.
    pub(crate) const TOPIC: &str = "topic";
    /// What leaves records without a key out before that topic.
    pub(crate) const FILTER: &str = "filter";
    /// What writes to that topic.
    pub(crate) const SINK: &str = "sink";
    /// What reads that topic.
    pub(crate) const SOURCE: &str = "source";
}

/// The longest name (`Named.MAX_NAME_LENGTH`).
const NAME_LENGTH_MAX: usize = 249;

const REPARTITION_TOPIC_SUFFIX: &str = "-repartition";

/// Names an operator's parts; the second argument is the user's name for it.
pub(crate) type Script = Box<dyn Fn(&mut Namer<'_>, Option<&Arc<str>>) -> Names + Send + Sync>;

/// How an operator is named if the user does not name it, and which numbers it takes.
pub(crate) enum Naming {
    /// The prefix and a number.
    Numbered(&'static str),
    /// The prefix and a number; a named node takes none (`KStream.process`).
    NumberedUnlessNamed(&'static str),
    /// A branch: the name of its splitter and its own; takes a number all the same
    /// (`BranchedKStreamImpl.createBranch`).
    Branch(PlanId, Arc<str>),
    /// A node that the JVM has not: the name of another and a suffix. Takes no number, so that the
    /// nodes after it keep the names that they have on the JVM.
    Derived(PlanId, &'static str),
    /// Several parts.
    Script(Script),
}

/// What a node is called by.
pub(super) enum NodeNaming {
    /// It is all of its operator.
    Own(Naming),
    /// It is one of an operator's parts.
    Part(PartName),
}

/// An operator, as far as names go.
pub(super) struct Operator {
    pub(super) naming: Naming,
    pub(super) given_name: Option<Arc<str>>,
}

/// The names of an operator's parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    parts: Vec<(&'static str, usize, Arc<str>)>,
}

impl Names {
    /// Of a node, and nothing else yet.
    pub(crate) fn of_node(name: Arc<str>) -> Self {
        Self::default().with(part::NODE, name)
    }

    /// One part more.
    pub(crate) fn with(self, part: &'static str, name: Arc<str>) -> Self {
        self.with_at(part, 0, name)
    }

    /// One part more, of which the operator has several.
    pub(crate) fn with_at(mut self, part: &'static str, index: usize, name: Arc<str>) -> Self {
        self.parts.push((part, index, name));
        self
    }

    /// The parts of a repartitioning more.
    pub(crate) fn with_repartition(self, index: usize, names: RepartitionNames) -> Self {
        self.with_at(part::TOPIC, index, names.topic)
            .with_at(part::FILTER, index, names.filter)
            .with_at(part::SINK, index, names.sink)
            .with_at(part::SOURCE, index, names.source)
    }

    pub(super) fn get(&self, part: &str, index: usize) -> Option<&Arc<str>> {
        let mut parts = self.parts.iter();
        let found = parts.find(|(known, at, _)| *known == part && *at == index);
        found.map(|(_, _, name)| name)
    }
}

/// The parts of a repartitioning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepartitionNames {
    pub(crate) topic: Arc<str>,
    pub(crate) filter: Arc<str>,
    pub(crate) sink: Arc<str>,
    pub(crate) source: Arc<str>,
}

impl RepartitionNames {
    /// The parts of the repartitioning that takes the place of several, whose first has this topic.
    pub(super) fn merged(topic: &Arc<str>) -> Self {
        let part = |part: &str| format!("{topic}-{part}").into();
        Self {
            topic: Arc::clone(topic),
            filter: part("filter"),
            sink: part("sink"),
            source: part("source"),
        }
    }
}

/// Names all operators of a plan, in its order.
pub(super) fn names(
    operators: &[Operator],
    nodes: &[Node],
    mistakes: &mut Vec<String>,
) -> Vec<Names> {
    let mut namer = Namer {
        next_number: 0,
        nodes,
        names: Vec::with_capacity(operators.len()),
        mistakes,
    };
    for operator in operators {
        if let Some(name) = &operator.given_name {
            namer.check(name);
        }
        let names = namer.run(&operator.naming, operator.given_name.as_ref());
        namer.names.push(names);
    }
    namer.names
}

/// Gives names and takes numbers, as `InternalStreamsBuilder` does.
pub(crate) struct Namer<'a> {
    next_number: u32,
    nodes: &'a [Node],
    /// Of the operators so far.
    names: Vec<Names>,
    mistakes: &'a mut Vec<String>,
}

impl Namer<'_> {
    /// The prefix and the next number (`newProcessorName`).
    pub(crate) fn numbered(&mut self, prefix: &str) -> Arc<str> {
        let number = self.next_number;
        self.next_number += 1;
        format!("{prefix}{number:010}").into()
    }

    /// A store's name with the next number (`newStoreName`).
    pub(crate) fn store(&mut self, prefix: &str) -> Arc<str> {
        self.numbered(&format!("{prefix}STATE-STORE-"))
    }

    /// The store's own name, or one with the next number (`MaterializedInternal`).
    pub(crate) fn store_or(&mut self, own: Option<&Arc<str>>, prefix: &str) -> Arc<str> {
        match own {
            None => self.store(prefix),
            Some(own) => {
                self.check(own);
                Arc::clone(own)
            }
        }
    }

    /// The user's name, or the prefix and a number, which is taken in any case
    /// (`orElseGenerateWithPrefix`).
    pub(crate) fn given_or(&mut self, given: Option<&Arc<str>>, prefix: &str) -> Arc<str> {
        let numbered = self.numbered(prefix);
        given.map_or(numbered, Arc::clone)
    }

    /// The user's name and a suffix, or the prefix and a number, which is taken in any case
    /// (`suffixWithOrElseGet`).
    pub(crate) fn suffixed_or(
        &mut self,
        given: Option<&Arc<str>>,
        suffix: &str,
        prefix: &str,
    ) -> Arc<str> {
        let numbered = self.numbered(prefix);
        let Some(given) = given else { return numbered };
        let suffixed = format!("{given}{suffix}");
        if suffixed.len() > NAME_LENGTH_MAX {
            self.check(&suffixed);
        }
        suffixed.into()
    }

    /// The parts of a repartitioning whose topic's name begins so; they take three numbers, used or
    /// not (`createRepartitionedSource`).
    pub(crate) fn repartition(&mut self, base: &str) -> RepartitionNames {
        let topic: Arc<str> = if base.ends_with(REPARTITION_TOPIC_SUFFIX) {
            base.into()
        } else {
            format!("{base}{REPARTITION_TOPIC_SUFFIX}").into()
        };
        let sink = self.numbered("KSTREAM-SINK-");
        let filter = self.numbered("KSTREAM-FILTER-");
        let source = self.numbered("KSTREAM-SOURCE-");
        if is_generated(base) {
            return RepartitionNames {
                topic,
                filter,
                sink,
                source,
            };
        }
        RepartitionNames::merged(&topic)
    }

    /// Notes a name that breaks the rules, to be told by `build`.
    pub(crate) fn check(&mut self, name: &str) {
        if let Err(mistake) = validate(name) {
            self.mistakes.push(mistake);
        }
    }

    /// The name of a node before this operator.
    pub(crate) fn name_of(&self, node: PlanId) -> Arc<str> {
        let node = self.nodes.get(node.0);
        let name = node.and_then(|node| find(&self.names, node.part_name()));
        name.map_or_else(|| "".into(), Arc::clone)
    }

    /// The name that the JVM knows a node before this operator by: where the node is hidden, that
    /// of the one above it.
    pub(crate) fn visible_name_of(&self, mut node: PlanId) -> Arc<str> {
        while let Some(known) = self.nodes.get(node.0).filter(|known| known.is_hidden) {
            let Some(parent) = known.parents.first() else {
                break;
            };
            node = *parent;
        }
        self.name_of(node)
    }

    fn run(&mut self, naming: &Naming, given: Option<&Arc<str>>) -> Names {
        let name = match naming {
            Naming::Numbered(prefix) => self.given_or(given, prefix),
            Naming::NumberedUnlessNamed(prefix) => {
                given.map_or_else(|| self.numbered(prefix), Arc::clone)
            }
            Naming::Branch(splitter, name) => {
                self.next_number += 1;
                given.map_or_else(|| self.derived(*splitter, name), Arc::clone)
            }
            Naming::Derived(of, suffix) => {
                given.map_or_else(|| self.unique(&self.derived(*of, suffix)), Arc::clone)
            }
            Naming::Script(script) => return script(self, given),
        };
        Names::of_node(name)
    }

    fn derived(&self, of: PlanId, suffix: &str) -> Arc<str> {
        format!("{}{suffix}", self.name_of(of)).into()
    }

    fn unique(&self, name: &Arc<str>) -> Arc<str> {
        let is_taken = |name: &str| {
            let mut parts = self.names.iter().flat_map(|names| &names.parts);
            parts.any(|(_, _, known)| &**known == name)
        };
        if !is_taken(name) {
            return Arc::clone(name);
        }
        let mut names = (2_u32..).map(|copy| format!("{name}-{copy}"));
        let free = names.find(|name| !is_taken(name));
        free.map_or_else(|| Arc::clone(name), Into::into)
    }
}

impl Node {
    /// Where the node's name is found.
    pub(super) fn part_name(&self) -> PartName {
        match self.naming {
            NodeNaming::Part(part) => part,
            // A node in the plan has been given its operator.
            NodeNaming::Own(_) => OperatorId(usize::MAX).node(),
        }
    }
}

/// The name of a part.
pub(super) fn find(names: &[Names], part: PartName) -> Option<&Arc<str>> {
    names.get(part.operator.0)?.get(part.part, part.index)
}

/// Whether a name matches the JVM's `KSTREAM.*-[0-9]{10}`.
fn is_generated(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("KSTREAM") else {
        return false;
    };
    let digits = rest.bytes().rev().take_while(u8::is_ascii_digit).count();
    digits >= 10 && {
        let dash = rest.len().checked_sub(11);
        dash.and_then(|dash| rest.as_bytes().get(dash)) == Some(&b'-')
    }
}

/// The rules of `org.apache.kafka.streams.kstream.Named`.
fn validate(name: &str) -> Result<(), String> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() {
        Err("a name is illegal, it can't be empty".to_owned())
    } else if name == "." || name == ".." {
        Err(format!(
            "name \"{name}\" is illegal, it cannot be \".\" or \"..\""
        ))
    } else if name.len() > NAME_LENGTH_MAX {
        Err(format!(
            "name \"{name}\" is illegal, it can't be longer than {NAME_LENGTH_MAX} characters"
        ))
    } else if !name.bytes().all(is_legal) {
        Err(format!(
            "name \"{name}\" is illegal, it contains a character other than ASCII alphanumerics, \
             '.', '_' and '-'"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_jvm() {
        for legal in ["a", "A-b_c.9", "...", &"x".repeat(249)] {
            assert_eq!(validate(legal), Ok(()));
        }
        for illegal in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(250)] {
            assert!(validate(illegal).is_err(), "{illegal}");
        }
    }

    #[test]
    fn a_generated_name_ends_in_a_dash_and_ten_digits() {
        assert!(is_generated("KSTREAM-REPARTITION-0000000001"));
        assert!(is_generated("KSTREAM-0000000001"));
        assert!(!is_generated("KSTREAM-REPARTITION-00000000012"));
        assert!(!is_generated("KSTREAM-1"));
        assert!(!is_generated("by-key"));
    }
}
