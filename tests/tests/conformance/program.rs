//! Programs written in Rust, run as the JVM's were, and compared.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use streams_core::processor::{
    ContinueOnError, DeadLetterOnError, ExceptionHandler, FailOnError, StreamsHandlers,
};
use streams_core::testing::TopologyTestDriver;
use streams_core::{Result, Topology};
use streams_dsl::{StreamsBuilder, StreamsConfig};

use crate::fixture::{self, Action, Scenario};

thread_local! {
    static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Notes what the program under test does, as `Note.add` does in the Java programs.
pub(crate) fn note(text: impl Into<String>) {
    let text = text.into();
    NOTES.with_borrow_mut(|notes| notes.push(text));
}

fn take_notes() -> Vec<String> {
    NOTES.take()
}

/// The Rust twin of a captured Java program.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    build: Build,
    handlers: Option<fn() -> StreamsHandlers>,
    compared: Compared,
    optimization: Option<&'static str>,
    adapt: Option<fn(&mut Scenario)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Both,
    Description,
    Scenario,
}

#[derive(Clone, Copy)]
enum Build {
    Dsl(fn(&StreamsBuilder)),
    Papi(fn() -> Result<Topology>),
}

impl Program {
    /// A program of the DSL.
    pub(crate) const fn dsl(name: &'static str, build: fn(&StreamsBuilder)) -> Self {
        Self::new(name, Build::Dsl(build))
    }

    /// A program wired by hand.
    pub(crate) const fn papi(name: &'static str, build: fn() -> Result<Topology>) -> Self {
        Self::new(name, Build::Papi(build))
    }

    const fn new(name: &'static str, build: Build) -> Self {
        Self {
            name,
            build,
            handlers: None,
            compared: Compared::Both,
            optimization: None,
            adapt: None,
        }
    }

    /// A program whose scenario is not compared.
    pub(crate) const fn described_only(mut self) -> Self {
        self.compared = Compared::Description;
        self
    }

    /// A program whose nodes differ on purpose, so that its description is not compared.
    pub(crate) const fn run_only(mut self) -> Self {
        self.compared = Compared::Scenario;
        self
    }

    /// A program that is built with `topology.optimization` set to this.
    pub(crate) const fn optimized(mut self, optimization: &'static str) -> Self {
        self.optimization = Some(optimization);
        self
    }

    /// A program that does something else on purpose, as `adapt` says.
    pub(crate) const fn adapted(mut self, adapt: fn(&mut Scenario)) -> Self {
        self.adapt = Some(adapt);
        self
    }

    fn topology(&self) -> Result<Topology> {
        match self.build {
            Build::Papi(build) => build(),
            Build::Dsl(add) => {
                let builder = StreamsBuilder::new();
                add(&builder);
                let Some(optimization) = self.optimization else {
                    return builder.build();
                };
                let settings = [
                    ("application.id", fixture::APPLICATION_ID),
                    ("bootstrap.servers", "none:1"),
                    ("topology.optimization", optimization),
                ];
                builder.build_with(&StreamsConfig::from_map(settings)?)
            }
        }
    }

    /// A program with handlers of its own, in place of those that its configuration names.
    pub(crate) const fn with_handlers(mut self, handlers: fn() -> StreamsHandlers) -> Self {
        self.handlers = Some(handlers);
        self
    }
}

/// What is different here on purpose: in this program (in all, if empty) the JVM's text becomes
/// ours.
pub(crate) struct Difference {
    pub(crate) program: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) ours: &'static str,
}

/// Compares every program's description and scenario with the JVM's, and fails with all that
/// differ.
pub(crate) fn check(programs: &[Program], differences: &[Difference]) {
    let mut report = String::new();
    for program in programs {
        let described = match program.compared {
            Compared::Scenario => Ok(()),
            Compared::Both | Compared::Description => check_description(program),
        };
        let scenario = match program.compared {
            Compared::Description => None,
            Compared::Both | Compared::Scenario => fixture::scenario(program.name),
        };
        let scenario = scenario.map_or(Ok(()), |mut scenario| {
            if let Some(adapt) = program.adapt {
                adapt(&mut scenario);
            }
            check_scenario(program, &scenario, differences)
        });
        let topics = check_topics(program);
        for outcome in [described, topics, scenario] {
            if let Err(text) = outcome {
                let _ = writeln!(report, "== {}\n{text}", program.name);
            }
        }
    }
    assert!(report.is_empty(), "not as on the JVM:\n{report}");
}

fn check_description(program: &Program) -> std::result::Result<(), String> {
    let expected = fixture::description(program.name).ok_or("nothing was captured")?;
    let topology = program.topology().map_err(|error| error.to_string())?;
    // A topic extractor has the name of a Java object there.
    let expected = ["by-key", "by-offset"].iter().fold(expected, |text, name| {
        text.replace(&format!("class: {name})"), "class: TopicNameExtractor)")
    });
    let actual = topology.describe();
    if actual == expected {
        return Ok(());
    }
    Err(format!("expected\n{expected}\nbut got\n{actual}"))
}

/// Compares the topics that are read, and those that are made with their numbers of partitions.
fn check_topics(program: &Program) -> std::result::Result<(), String> {
    let expected = fixture::topics(program.name).ok_or("no topics were captured")?;
    let topology = program.topology().map_err(|error| error.to_string())?;
    let made = topology.internal_topics().iter().map(|topic| {
        let name = topic.full_name(fixture::APPLICATION_ID);
        (name, topic.partitions)
    });
    let actual = fixture::Topics {
        read: topology.source_topics(fixture::APPLICATION_ID),
        made: made.collect(),
    };
    if actual == expected {
        return Ok(());
    }
    Err(format!("expected\n{expected:?}\nbut got\n{actual:?}"))
}

fn check_scenario(
    program: &Program,
    scenario: &Scenario,
    differences: &[Difference],
) -> std::result::Result<(), String> {
    let mut run = Run::start(program, scenario).map_err(|error| error.to_string())?;
    for (number, step) in scenario.steps.iter().enumerate() {
        let actual = run.step(&step.action);
        let expected = step.results.iter().map(|line| {
            let known = differences
                .iter()
                .filter(|known| ["", program.name].contains(&known.program));
            known.fold(line.clone(), |line, known| {
                line.replace(known.theirs, known.ours)
            })
        });
        let expected: Vec<String> = expected
            .filter(|line| !line.is_empty() && !line.starts_with("store "))
            .collect();
        if actual != expected {
            let (expected, actual) = (expected.join("\n  "), actual.join("\n  "));
            return Err(format!(
                "step {number} expected\n  {expected}\nbut got\n  {actual}"
            ));
        }
    }
    Ok(())
}

/// A program at work.
struct Run {
    driver: Option<TopologyTestDriver>,
}

impl Run {
    fn start(program: &Program, scenario: &Scenario) -> Result<Self> {
        take_notes();
        let handlers = program
            .handlers
            .map_or_else(|| handlers(scenario), |handlers| handlers());
        let mut builder = TopologyTestDriver::builder(&program.topology()?)
            .application_id(scenario.application_id.as_str())
            .handlers(handlers);
        if let Some(idle) = scenario.config.get("max.task.idle.ms") {
            let idle_ms = idle.parse().expect("milliseconds");
            builder = builder.max_task_idle(Duration::from_millis(idle_ms));
        }
        let driver = Some(builder.build()?);
        Ok(Self { driver })
    }

    fn step(&mut self, action: &Action) -> Vec<String> {
        let done = match (action, &mut self.driver) {
            (Action::Close, driver) => {
                driver.take();
                Ok(())
            }
            (Action::Start, _) | (_, None) => Ok(()),
            (Action::Advance { by_ms }, Some(driver)) => {
                driver.advance_wall_clock(Duration::from_millis(*by_ms))
            }
            (
                Action::Input {
                    topic,
                    key,
                    value,
                    timestamp_ms,
                    headers,
                },
                Some(driver),
            ) => driver.pipe_bytes(
                topic,
                key.as_deref(),
                value.as_deref(),
                *timestamp_ms,
                headers.clone(),
            ),
        };
        let notes = take_notes().into_iter().map(|text| fixture::note(&text));
        let outputs = self.outputs();
        match done {
            Ok(()) => notes.chain(outputs).collect(),
            // The JVM's driver does not hand out what was sent before the failure.
            Err(_) => std::iter::once(fixture::error()).chain(notes).collect(),
        }
    }

    fn outputs(&mut self) -> Vec<String> {
        let Some(driver) = &mut self.driver else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        for topic in driver.written_topics() {
            while let Some(raw) = driver.read_bytes(&topic) {
                let (key, value) = (raw.key(), raw.value());
                lines.push(fixture::record(
                    &topic,
                    key,
                    value,
                    raw.timestamp_ms,
                    &raw.headers,
                ));
            }
        }
        lines
    }
}

/// The handlers that the captured configuration names.
fn handlers(scenario: &Scenario) -> StreamsHandlers {
    let dead_letters = scenario.config.get("errors.dead.letter.queue.topic.name");
    let handler = |kind: &str| -> Arc<dyn ExceptionHandler> {
        let class = scenario.config.get(&format!("{kind}.exception.handler"));
        match (class, dead_letters) {
            (Some(class), Some(topic)) if class.contains("Continue") => {
                Arc::new(DeadLetterOnError::new(topic.as_str()))
            }
            (Some(class), None) if class.contains("Continue") => Arc::new(ContinueOnError),
            _ => Arc::new(FailOnError),
        }
    };
    StreamsHandlers {
        deserialization: handler("deserialization"),
        processing: handler("processing"),
        production: handler("production"),
    }
}
