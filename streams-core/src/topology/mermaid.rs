//! The topology as a Mermaid flowchart.

use std::fmt::Write as _;

use crate::topology::{NodeKind, SourceTopics, Topology};

impl Topology {
    /// The topology as a Mermaid flowchart: topics as cylinders, processors as boxes, a frame
    /// around each sub-topology.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        let mut topics: Vec<String> = Vec::new();
        let mut topic_id = |name: &str, text: &mut String| {
            let known = topics.iter().position(|topic| topic == name);
            known.unwrap_or_else(|| {
                let id = topics.len();
                let _ = writeln!(text, "  t{id}[(\"{}\")]", escape(name));
                topics.push(name.to_owned());
                id
            })
        };
        let mut edges = String::new();
        for (number, part) in self.inner.subtopologies.iter().enumerate() {
            let mut frame = format!("  subgraph s{number}[\"Sub-topology {number}\"]\n");
            for index in &part.nodes {
                let Some(node) = self.inner.nodes.get(*index) else {
                    continue;
                };
                let _ = writeln!(frame, "    n{index}[\"{}\"]", escape(&node.name));
                for child in &node.children {
                    let _ = writeln!(edges, "  n{index} --> n{child}");
                }
                match &node.kind {
                    NodeKind::Source {
                        topics: SourceTopics::Named(names),
                        ..
                    } => {
                        for name in names {
                            let _ =
                                writeln!(edges, "  t{} --> n{index}", topic_id(name, &mut text));
                        }
                    }
                    NodeKind::Source {
                        topics: SourceTopics::Pattern(pattern),
                        ..
                    } => {
                        let id = topic_id(pattern.as_str(), &mut text);
                        let _ = writeln!(edges, "  t{id} --> n{index}");
                    }
                    NodeKind::Sink { topic } => {
                        let name = topic.as_deref().unwrap_or("a topic per record");
                        let _ = writeln!(edges, "  n{index} --> t{}", topic_id(name, &mut text));
                    }
                    NodeKind::Processor { .. } => {}
                }
            }
            frame.push_str("  end\n");
            text.push_str(&frame);
        }
        text + &edges
    }
}

fn escape(name: &str) -> String {
    name.replace('"', "#quot;")
}
