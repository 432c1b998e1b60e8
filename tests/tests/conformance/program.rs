//! Programs written in Rust, run as the JVM's were, and compared.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use streams_core::processor::{
    ContinueOnError, DeadLetterOnError, ExceptionHandler, FailOnError, StreamsHandlers,
};
use streams_core::store::StoreEntry;
use streams_core::testing::TopologyTestDriver;
use streams_core::window::Windowed;
use streams_core::{Result, StreamsConfig, Topology};
use streams_dsl::StreamsBuilder;

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
                builder.build_with(&self.config())
            }
        }
    }

    /// The captured configuration, as far as it concerns topologies and topics.
    fn config(&self) -> StreamsConfig {
        let captured = fixture::configuration(self.name);
        let wanted = captured
            .into_iter()
            .filter(|(key, _)| key == "topology.optimization");
        let config = StreamsConfig::builder()
            .set("application.id", fixture::APPLICATION_ID)
            .set("bootstrap.servers", "127.0.0.1:9");
        let config = wanted.fold(config, |config, (key, value)| config.set(key, value));
        config.build().expect("a configuration")
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

/// Where the JVM forgets topics that a join needs to be partitioned alike: those before a
/// suppression.
const STRICTER: &[&str] = &["suppress-then-join"];

/// Compares the topics that are read, and those that are made with their numbers of partitions.
fn check_topics(program: &Program) -> std::result::Result<(), String> {
    let expected = fixture::topics(program.name).ok_or("no topics were captured")?;
    let topology = program.topology().map_err(|error| error.to_string())?;
    let made = topology.internal_topics().iter().map(|topic| {
        let name = topic.full_name(fixture::APPLICATION_ID);
        (name, topic.partitions)
    });
    let changelogs = topology.changelog_topics(&program.config()).into_iter();
    let copartitioned = topology.copartitioned_topics(fixture::APPLICATION_ID);
    let actual = fixture::Topics {
        read: topology.source_topics(fixture::APPLICATION_ID),
        made: made.collect(),
        changelogs: changelogs.map(|it| (it.topic, it.config)).collect(),
        copartitioned: copartitioned.into_iter().collect(),
    };
    let expected = if STRICTER.contains(&program.name) {
        let copartitioned = actual.copartitioned.clone();
        fixture::Topics {
            copartitioned,
            ..expected
        }
    } else {
        expected
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
        let actual = match step.action {
            // Some stores cannot be read through the JVM's driver.
            Action::Look => run.look(&step.results),
            _ => run.step(&step.action),
        };
        let compared = step.results.iter().filter(|line| is_compared(line));
        let expected = compared.map(|line| {
            let known = differences
                .iter()
                .filter(|known| ["", program.name].contains(&known.program));
            known.fold(line.clone(), |line, known| {
                line.replace(known.theirs, known.ours)
            })
        });
        let expected: Vec<String> = expected.filter(|line| !line.is_empty()).collect();
        if actual != expected {
            let (expected, actual) = (expected.join("\n  "), actual.join("\n  "));
            return Err(format!(
                "step {number} expected\n  {expected}\nbut got\n  {actual}"
            ));
        }
    }
    Ok(())
}

/// Whether a line can be compared. Entries that only the JVM's own classes show as text are not:
/// their bytes stand in the changelogs, which are.
fn is_compared(line: &str) -> bool {
    !line.contains(" [<") && !line.contains("SubscriptionWrapper{")
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
        if let Some(bytes) = scenario.config.get("statestore.cache.max.bytes") {
            builder = builder.cache_max_bytes(bytes.parse().expect("bytes"));
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
            (Action::Start | Action::Look, _) | (_, None) => Ok(()),
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

    /// What the stores hold that the JVM's driver shows.
    fn look(&self, shown: &[String]) -> Vec<String> {
        let Some(driver) = &self.driver else {
            return Vec::new();
        };
        let stores = driver.store_names().into_iter();
        let mut lines: Vec<String> = stores
            .filter_map(|name| {
                let entries = driver.store_entries(&name).expect("entries")?;
                let entries = entries.iter().map(shown_entry).collect();
                Some(fixture::store_line(&name, entries))
            })
            .collect();
        let shown: Vec<&String> = shown.iter().filter(|line| is_compared(line)).collect();
        let store = |line: &str| line.split(" [").next().map(str::to_owned);
        lines.retain(|line| shown.iter().any(|shown| store(shown) == store(line)));
        lines.sort();
        lines
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

/// An entry as Java's `toString` shows it: text as it is, a number in digits.
fn shown_entry(entry: &StoreEntry) -> String {
    let key = shown_bytes(&entry.key);
    let key = match entry.window {
        Some(window) => Windowed::new(key, window).to_string(),
        None => key,
    };
    fixture::store_entry(&key, &shown_bytes(&entry.value), entry.timestamp_ms)
}

fn shown_bytes(bytes: &[u8]) -> String {
    let is_text = |text: &&str| text.chars().all(|letter| !letter.is_control());
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(is_text) {
        return text.to_owned();
    }
    match bytes {
        [a, b, c, d] => i32::from_be_bytes([*a, *b, *c, *d]).to_string(),
        _ => bytes.try_into().map_or_else(
            |_| bytes.escape_ascii().to_string(),
            |bytes| i64::from_be_bytes(bytes).to_string(),
        ),
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
