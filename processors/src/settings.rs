//! What a processor's topology is made from.

use std::sync::Arc;
use std::time::Duration;

use streams_core::clock::{Clock, SystemClock};
use streams_core::serde::{ByteSerde, Nullable};
use streams_dsl::{Error, ErrorKind, KStream, Result, RetryPolicy, Topic};

/// The key or value of a record as it came; `None` is Kafka's null.
pub type Bytes = Option<Vec<u8>>;

/// Stands in an output's name for the name of the input topic.
const TOPIC: &str = "{topic}";

/// What a processor reads, writes and does.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The topics it reads.
    pub inputs: Vec<String>,
    /// The topic it writes; `{topic}` in it is the name of the input topic.
    pub output: String,
    /// The topic for what it rejects.
    pub dead_letter: String,
    /// What becomes of null values.
    pub tombstones: Tombstones,
    /// The largest value that is processed, in bytes: what is added to it, and the dead letter it
    /// may become, must stay within what brokers take.
    pub value_bytes_max: usize,
    /// How often a step is tried that fails for a time.
    pub tries_max: u32,
    /// The wait before the second try; it doubles with each.
    pub retry_backoff: Duration,
    /// What calls itself the processor in the events it writes.
    pub processor: Arc<str>,
    /// Tells when an event was processed.
    pub clock: Arc<dyn Clock>,
}

/// What becomes of null values: a Debezium connector writes one after each delete, so that
/// compaction forgets the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Tombstones {
    /// They go to the dead-letter topic like all that is no event.
    #[default]
    DeadLetter,
    /// They go to the output as they are, for an output that is compacted too.
    Forward,
    /// They are left out.
    Drop,
}

impl Settings {
    /// The largest value that is processed, unless set: 800 KiB, of the 1 MiB that brokers take.
    pub const VALUE_BYTES_MAX: usize = 800 * 1024;
    /// How often a step is tried, unless set.
    pub const TRIES_MAX: u32 = 3;
    /// The wait before the second try, unless set.
    pub const RETRY_BACKOFF: Duration = Duration::from_secs(1);

    /// Settings with defaults for all but the topics.
    pub fn new(
        inputs: impl IntoIterator<Item = impl Into<String>>,
        output: impl Into<String>,
        dead_letter: impl Into<String>,
    ) -> Self {
        Self {
            inputs: inputs.into_iter().map(Into::into).collect(),
            output: output.into(),
            dead_letter: dead_letter.into(),
            tombstones: Tombstones::default(),
            value_bytes_max: Self::VALUE_BYTES_MAX,
            tries_max: Self::TRIES_MAX,
            retry_backoff: Self::RETRY_BACKOFF,
            processor: "processors".into(),
            clock: Arc::new(SystemClock),
        }
    }

    /// A topic of bytes.
    pub fn topic(name: &str) -> Topic<Bytes, Bytes> {
        Topic::new(name, Nullable(ByteSerde), Nullable(ByteSerde))
    }

    /// The topics it reads.
    pub fn input_topics(&self) -> Vec<Topic<Bytes, Bytes>> {
        self.inputs.iter().map(|name| Self::topic(name)).collect()
    }

    /// The topic for what comes from the topic `input`.
    pub fn output_topic(&self, input: &str) -> Topic<Bytes, Bytes> {
        Self::topic(&self.output_name(input))
    }

    /// The name of the topic for what comes from the topic `input`.
    pub fn output_name(&self, input: &str) -> String {
        self.output.replace(TOPIC, input)
    }

    /// The topic for what it rejects.
    pub fn dead_letter_topic(&self) -> Topic<Bytes, Bytes> {
        Self::topic(&self.dead_letter)
    }

    /// Checks what the topology would get wrong without saying so.
    ///
    /// # Errors
    /// If a name cannot be a topic's, or a topic would be read that is written.
    pub fn check(&self) -> Result<()> {
        let outputs = self.inputs.iter().map(|input| self.output_name(input));
        let outputs: Vec<String> = outputs.collect();
        let dead_letter = [self.dead_letter.clone()];
        let named = [
            ("--input", self.inputs.as_slice()),
            ("--output", &outputs),
            ("--dead-letter", &dead_letter),
        ];
        for (flag, names) in named {
            if let Some(wrong) = names.iter().find(|name| !is_topic_name(name)) {
                return Err(mistake(format!(
                    "`{flag}` must be a topic's name, but is `{wrong}`"
                )));
            }
            if flag != "--input"
                && let Some(read) = names.iter().find(|name| self.inputs.contains(name))
            {
                let complaint = format!("`{flag}` writes topic {read}, which `--input` reads");
                return Err(mistake(complaint));
            }
        }
        if self.tries_max == 0 {
            return Err(mistake(
                "`--tries-max` must be at least 1, but is `0`".to_owned(),
            ));
        }
        Ok(())
    }

    /// The longest that one event can wait, between all its tries.
    pub fn retry_wait_total(&self) -> Duration {
        let retries = 0..self.tries_max.saturating_sub(1);
        retries.fold(Duration::ZERO, |total, retry| {
            let factor = 2_u32.saturating_pow(retry);
            total.saturating_add(self.retry_backoff.saturating_mul(factor))
        })
    }

    /// How often and after which waits a step is tried again.
    pub fn retry_policy(&self) -> RetryPolicy {
        RetryPolicy::new(self.tries_max.saturating_sub(1), self.retry_backoff)
            .with_wait_max(Duration::MAX)
    }
}

fn mistake(complaint: String) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("wrong configuration: {complaint}"),
    )
}

/// Kafka's rule for the names of topics.
fn is_topic_name(name: &str) -> bool {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    (1..=249).contains(&name.len()) && name != "." && name != ".." && name.chars().all(legal)
}

impl Tombstones {
    /// Takes null values out of a stream: what is left, and the null values if they are to be
    /// forwarded.
    pub fn apply(
        self,
        stream: KStream<Bytes, Bytes>,
    ) -> (KStream<Bytes, Bytes>, Option<KStream<Bytes, Bytes>>) {
        match self {
            Self::DeadLetter => (stream, None),
            Self::Drop => (stream.filter(|_, value| value.is_some()), None),
            Self::Forward => {
                let mut split = stream.split();
                let tombstones = split.branch("tombstone", |_, value| value.is_none());
                (split.default_branch("event"), Some(tombstones))
            }
        }
    }
}
