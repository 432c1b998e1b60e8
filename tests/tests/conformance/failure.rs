//! Failure.java: records that cannot be read, processed or written.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use streams_dsl::serde::{Deserializer, I32, I64, Nullable, Presence, SerdeError, Serializer};
use streams_dsl::{
    ErrorContext, ExceptionHandler, FailureOrigin, HandlerResponse, Headers, Processor,
    ProcessorContext, ProcessorError, Punctuation, PunctuationType, Record, Repartitioned,
    StreamsBuilder, StreamsHandlers, Topic,
};

use crate::process::Stamp;
use crate::program::{Difference, Program, check, note};
use crate::source::FromValue;
use crate::text::{TEXT, Text, append, or_null, stream, topic};

/// What the Java programs throw, as it is shown there.
#[derive(Debug)]
struct Thrown {
    class: &'static str,
    message: String,
}

impl fmt::Display for Thrown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Thrown {}

/// Refuses "bad"; a step that can fail is a processor here, where it may be a mapper there.
#[derive(Clone, Copy)]
struct Fussy;

impl Processor<Text, Text, Text, Text> for Fussy {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        if record.value.as_deref() == Some("bad") {
            let (class, message) = ("IllegalArgumentException", "a bad value".to_owned());
            return Err(Box::new(Thrown { class, message }));
        }
        let value = append(" ok")(record.value.clone());
        context.forward(record.with_value(value));
        Ok(())
    }
}

/// Fails at each second punctuation.
struct Ticking(u32);

impl Processor<Text, Text, Text, Text> for Ticking {
    fn init(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
    ) -> Result<(), ProcessorError> {
        context.schedule(Duration::from_millis(10), PunctuationType::WallClockTime);
        Ok(())
    }

    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        Ok(())
    }

    fn punctuate(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        _punctuation: Punctuation,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        self.0 += 1;
        note(format!("fire {timestamp_ms}"));
        let (key, value) = (Some("tick".to_owned()), Some(self.0.to_string()));
        context.forward(Record::new(key, value, timestamp_ms));
        if self.0.is_multiple_of(2) {
            let (class, message) = ("IllegalStateException", format!("tick {}", self.0));
            return Err(Box::new(Thrown { class, message }));
        }
        Ok(())
    }
}

/// Refuses the text "unwritable".
#[derive(Clone, Copy)]
struct Picky;

impl Serializer<Text> for Picky {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Text,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        if data.as_deref() == Some("unwritable") {
            return Err(SerdeError::new("cannot write it"));
        }
        TEXT.serialize(topic, headers, data, buffer)
    }
}

impl Deserializer<Text> for Picky {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Text, SerdeError> {
        TEXT.deserialize(topic, headers, data)
    }
}

/// Notes what it is told, and goes on.
struct Noting;

impl ExceptionHandler for Noting {
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        let place = match context.origin {
            FailureOrigin::Deserialization => "read",
            FailureOrigin::Processing => "process",
            FailureOrigin::Serialization | FailureOrigin::Production => "write VALUE to out",
        };
        let from = match context.offset {
            -1 => "null--1@-1".to_owned(),
            offset => format!("{}-{}@{offset}", context.topic, context.partition),
        };
        let time = context.timestamp_ms;
        let (node, task, headers) = (
            context.node,
            context
                .task_id
                .map_or_else(String::new, |id| id.to_string()),
            context.headers.len(),
        );
        let (key, value) = (shown(context.key), shown(context.value));
        let error = error.downcast_ref::<Thrown>().map_or_else(
            || "org.apache.kafka.common.errors.SerializationException: …".to_owned(),
            |thrown| format!("java.lang.{}: {}", thrown.class, thrown.message),
        );
        note(format!(
            "{place} {from} t{time} node {node} task {task} headers {headers} key {key} \
             value {value} error {error}"
        ));
        HandlerResponse::Continue
    }
}

fn shown(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".to_owned(),
        Some([1, 2, 3]) => r#"{"base64":"AQID","shows":"\\x01\\x02\\x03"}"#.to_owned(),
        Some(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
    }
}

fn noting() -> StreamsHandlers {
    StreamsHandlers {
        deserialization: Arc::new(Noting),
        processing: Arc::new(Noting),
        production: Arc::new(Noting),
    }
}

fn longs(b: &StreamsBuilder) {
    let numbers: Topic<Text, Option<i64>> = Topic::new("in", TEXT, Nullable(I64));
    let number = |value: Option<i64>| value.map_or("null".to_owned(), |value| value.to_string());
    let texts = b
        .stream(&numbers)
        .map_values(move |value| Some(format!("number {}", number(value))));
    texts.to(&topic("out"));
}

fn fussy(b: &StreamsBuilder) {
    let before = stream(b, "in").peek(|_, value| note(format!("before {}", or_null(value))));
    before.process_fussily().named("fussy").to(&topic("out"));
}

fn ticking(b: &StreamsBuilder) {
    stream(b, "in").process(|| Ticking(0)).to(&topic("out"));
}

fn written(b: &StreamsBuilder) {
    let trimmed = stream(b, "in").map_values(|value| value.map(|value| value.trim().to_owned()));
    trimmed.to(&Topic::new("out", TEXT, Picky)).named("write");
}

trait Fussily {
    fn process_fussily(self) -> Self;
}

impl Fussily for crate::text::Texts {
    fn process_fussily(self) -> Self {
        self.process(|| Fussy)
    }
}

const READING: &[Program] = &[
    Program::dsl("read-fail", longs),
    Program::dsl("read-fail-dead-letter", longs),
    Program::dsl("read-continue", longs),
    Program::dsl("read-continue-dead-letter", longs),
    Program::dsl("read-own-handler", longs).with_handlers(noting),
    Program::dsl("read-key-dead-letter", |b| {
        let key = Nullable(I32);
        let numbered = b
            .stream(&Topic::new("in", key, TEXT))
            .map_values(append("!"));
        numbered.to(&Topic::new("out", key, TEXT));
    }),
    Program::dsl("read-continue-stream-time", |b| {
        let numbers: Topic<Text, Option<i64>> = Topic::new("in", TEXT, Nullable(I64));
        let texts = b
            .stream(&numbers)
            .map_values(|value| value.map(|value| format!("n{value}")));
        texts.process(|| Stamp("h")).to(&topic("out"));
    }),
    Program::dsl("read-own-headers-dead-letter", longs),
    Program::dsl("timestamp-fail-dead-letter", |b| {
        let consumed = streams_dsl::Consumed::new().with_timestamp_extractor(FromValue);
        b.stream_with(&topic("in"), consumed).to(&topic("out"));
    }),
];

/// A mapper that throws there is a processor here, so the descriptions are not compared.
const PROCESSING: &[Program] = &[
    Program::dsl("process-default", fussy).run_only(),
    Program::dsl("process-fail", fussy).run_only(),
    Program::dsl("process-fail-dead-letter", fussy).run_only(),
    Program::dsl("process-continue", fussy).run_only(),
    Program::dsl("process-continue-dead-letter", fussy).run_only(),
    Program::dsl("process-own-handler", fussy)
        .with_handlers(noting)
        .run_only(),
    Program::dsl("process-continue-one-branch", |b| {
        let stream = stream(b, "in");
        stream
            .clone()
            .map_values(append(" first"))
            .to(&topic("out-1"));
        stream.clone().process_fussily().to(&topic("out-2"));
        stream.map_values(append(" third")).to(&topic("out-3"));
    })
    .run_only(),
    Program::dsl("process-continue-flat-map", |b| {
        let three = |value: Text| [Some("x".to_owned()), value, Some("y".to_owned())];
        stream(b, "in")
            .flat_map_values(three)
            .process_fussily()
            .to(&topic("out"));
    })
    .run_only(),
    Program::dsl("process-changed-record-dead-letter", |b| {
        let changed = stream(b, "in").map(|_, value| (value, Some("bad".to_owned())));
        changed.process_fussily().to(&topic("out"));
    })
    .run_only(),
    Program::dsl("process-after-repartition-dead-letter", |b| {
        stream(b, "in")
            .repartition(Repartitioned::new())
            .process_fussily()
            .to(&topic("out"));
    })
    .run_only(),
];

const PUNCTUATING: &[Program] = &[
    Program::dsl("punctuate-fail", ticking),
    Program::dsl("punctuate-continue-dead-letter", ticking),
    Program::dsl("punctuate-own-handler", |b| {
        stream(b, "in")
            .process(|| Ticking(0))
            .named("ticking")
            .to(&topic("out"));
    })
    .with_handlers(noting),
];

const WRITING: &[Program] = &[
    Program::dsl("write-fail", written),
    Program::dsl("write-fail-dead-letter", written),
    Program::dsl("write-own-handler", written).with_handlers(noting),
];

const DIFFERENCES: &[Difference] = &[
    // A handler here answers with a topic, not with records of its own making.
    Difference {
        program: "read-own-handler",
        theirs: "record own-letters 'b'='\\x01\\x02\\x03' at -1 headers []",
        ours: "",
    },
    Difference {
        program: "read-own-handler",
        theirs: "record own-letters null='text' at -1 headers []",
        ours: "",
    },
    // The words for bytes that cannot be read are each library's own.
    Difference {
        program: "read-own-handler",
        theirs: "Size of data received by LongDeserializer is not 8",
        ours: "…",
    },
    Difference {
        program: "write-own-handler",
        theirs: "cannot write it",
        ours: "…",
    },
    // There a failing sink is its parent's failure; here and there it names the sink.
    // The record as the processor saw it is not shown to a handler here.
    Difference {
        program: "process-own-handler",
        theirs: "note record b=bad t20",
        ours: "",
    },
    Difference {
        program: "process-own-handler",
        theirs: "note record null=bad t5",
        ours: "",
    },
    Difference {
        program: "punctuate-own-handler",
        theirs: "note record null",
        ours: "",
    },
];

#[test]
fn records_that_cannot_be_read_are_handled_as_on_the_jvm() {
    check(READING, DIFFERENCES);
}

#[test]
fn records_that_cannot_be_processed_are_handled_as_on_the_jvm() {
    check(PROCESSING, DIFFERENCES);
    check(PUNCTUATING, DIFFERENCES);
}

#[test]
fn records_that_cannot_be_written_are_handled_as_on_the_jvm() {
    check(WRITING, DIFFERENCES);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [READING, PROCESSING, PUNCTUATING, WRITING].concat()
}
