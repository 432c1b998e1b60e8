//! Names of nodes: the user's, or the ones that the JVM would give.

use std::sync::Arc;

use crate::plan::node::{Naming, Node, PlanId};

/// The longest name (`Named.MAX_NAME_LENGTH`).
const NAME_LENGTH_MAX: usize = 249;

const REPARTITION: &str = "KSTREAM-REPARTITION-";
const REPARTITION_TOPIC_SUFFIX: &str = "-repartition";

/// What a logical node and what belongs to it are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeName {
    /// The name by which its children know it.
    pub(crate) name: Arc<str>,
    /// The names of the other parts, if it repartitions.
    pub(crate) repartition: Option<RepartitionNames>,
}

/// The parts of a repartitioning, besides its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepartitionNames {
    pub(crate) topic: Arc<str>,
    pub(crate) filter: Arc<str>,
    pub(crate) sink: Arc<str>,
}

/// Names all nodes of a plan, in its order.
pub(super) fn names(nodes: &[Node], mistakes: &mut Vec<String>) -> Vec<NodeName> {
    let mut namer = Namer {
        next_number: 0,
        names: Vec::with_capacity(nodes.len()),
    };
    for node in nodes {
        if let Some(name) = &node.given_name
            && let Err(mistake) = validate(name)
        {
            mistakes.push(mistake);
        }
        let name = namer.name(&node.naming, node.given_name.as_ref());
        namer.names.push(name);
    }
    namer.names
}

struct Namer {
    next_number: u32,
    names: Vec<NodeName>,
}

impl Namer {
    fn name(&mut self, naming: &Naming, given: Option<&Arc<str>>) -> NodeName {
        let name = match naming {
            Naming::Numbered(prefix) => {
                let numbered = self.numbered(prefix);
                given.map_or(numbered, Arc::clone)
            }
            Naming::NumberedUnlessNamed(prefix) => match given {
                Some(given) => Arc::clone(given),
                None => self.numbered(prefix),
            },
            Naming::Branch(splitter, name) => {
                self.next_number += 1;
                given.map_or_else(|| self.derived(*splitter, name), Arc::clone)
            }
            Naming::Derived(of, suffix) => {
                given.map_or_else(|| self.unique(&self.derived(*of, suffix)), Arc::clone)
            }
            Naming::Repartition => return self.repartition(given),
        };
        NodeName {
            name,
            repartition: None,
        }
    }

    fn numbered(&mut self, prefix: &str) -> Arc<str> {
        let number = self.next_number;
        self.next_number += 1;
        format!("{prefix}{number:010}").into()
    }

    fn derived(&self, of: PlanId, suffix: &str) -> Arc<str> {
        let of = self.names.get(of.0).map_or("", |of| &*of.name);
        format!("{of}{suffix}").into()
    }

    fn unique(&self, name: &Arc<str>) -> Arc<str> {
        let is_taken = |name: &str| self.names.iter().any(|known| &*known.name == name);
        if !is_taken(name) {
            return Arc::clone(name);
        }
        let mut names = (2_u32..).map(|copy| format!("{name}-{copy}"));
        let free = names.find(|name| !is_taken(name));
        free.map_or_else(|| Arc::clone(name), Into::into)
    }

    /// Three numbers are taken after the topic's, used or not.
    fn repartition(&mut self, given: Option<&Arc<str>>) -> NodeName {
        let base = match given {
            Some(given) => Arc::clone(given),
            None => self.numbered(REPARTITION),
        };
        let topic: Arc<str> = if base.ends_with(REPARTITION_TOPIC_SUFFIX) {
            Arc::clone(&base)
        } else {
            format!("{base}{REPARTITION_TOPIC_SUFFIX}").into()
        };
        let sink = self.numbered("KSTREAM-SINK-");
        let filter = self.numbered("KSTREAM-FILTER-");
        let source = self.numbered("KSTREAM-SOURCE-");
        let [sink, filter, source] = if is_generated(&base) {
            [sink, filter, source]
        } else {
            ["sink", "filter", "source"].map(|part| format!("{topic}-{part}").into())
        };
        NodeName {
            name: source,
            repartition: Some(RepartitionNames {
                topic,
                filter,
                sink,
            }),
        }
    }
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
