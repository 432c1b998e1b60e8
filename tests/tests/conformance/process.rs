//! Process.java: the typed Processor API inside the DSL.

use streams_dsl::{
    FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyRecord, Headers, Processor,
    ProcessorContext, ProcessorError, Record, RecordMetadata,
};

use crate::program::{Difference, Program, check, note};
use crate::text::{Text, append, or_null, stream, topic};

/// Appends stream time, topic and offset to the value, and adds a header.
pub(crate) struct Stamp(pub(crate) &'static str);

impl Processor<Text, Text, Text, Text> for Stamp {
    fn init(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
    ) -> Result<(), ProcessorError> {
        let (task, application) = (context.task_id(), context.application_id());
        let time = context.current_stream_time_ms();
        note(format!(
            "init task {task} app {application} stream-time {time}"
        ));
        Ok(())
    }

    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        mut record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        let place = context.record_metadata().map(|from| {
            let RecordMetadata {
                topic,
                partition,
                offset,
            } = from;
            format!("{topic}-{partition}@{offset}")
        });
        let place = place.unwrap_or_else(|| "nowhere".to_owned());
        record.headers.add(self.0, *b"yes");
        let (value, time) = (or_null(&record.value), record.timestamp_ms);
        let stream_time = context.current_stream_time_ms();
        let value = format!("{value} {place} t{time} stream-time {stream_time}");
        context.forward(record.with_value(Some(value)));
        Ok(())
    }

    fn close(&mut self) {
        note(format!("close {}", self.0));
    }
}

/// Nothing for a null value, else its length twice: under its key and a second later.
struct LengthTwice;

impl Processor<Text, Text, Text, usize> for LengthTwice {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, usize>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        let Some(length) = record.value.as_ref().map(String::len) else {
            return Ok(());
        };
        let length = record.with_value(length);
        context.forward(length.clone());
        let late_ms = length.timestamp_ms + 1000;
        context.forward(
            length
                .with_key(Some("late".to_owned()))
                .with_timestamp_ms(late_ms),
        );
        Ok(())
    }
}

/// Replaces the headers.
pub(crate) struct Reheader;

impl FixedKeyProcessor<Text, Text, Text> for Reheader {
    fn init(
        &mut self,
        _context: &mut FixedKeyProcessorContext<'_, Text, Text>,
    ) -> Result<(), ProcessorError> {
        note("init reheader");
        Ok(())
    }

    fn process(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, Text, Text>,
        mut record: FixedKeyRecord<Text, Text>,
    ) -> Result<(), ProcessorError> {
        let mut headers = Headers::new();
        headers.add("new", or_null(record.key()).as_bytes());
        *record.headers_mut() = headers;
        context.forward(record.map_value(|_, value| append("~")(value)));
        Ok(())
    }

    fn close(&mut self) {
        note("close reheader");
    }
}

/// Forwards to one child, to the other, and to both.
struct ToChildren;

impl Processor<Text, Text, Text, Text> for ToChildren {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        let saying = |text: &str| record.clone().with_value(Some(text.to_owned()));
        context.forward_to(0, saying("first"));
        context.forward_to(1, saying("second"));
        context.forward(saying("both"));
        Ok(())
    }
}

/// Asks for a commit after each record.
struct Committing;

impl Processor<Text, Text, Text, Text> for Committing {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        context.commit();
        Ok(())
    }
}

const PROGRAMS: &[Program] = &[
    Program::dsl("process", |b| {
        stream(b, "in").process(|| Stamp("seen")).to(&topic("out"));
    }),
    Program::dsl("process-named", |b| {
        stream(b, "in")
            .process(|| Stamp("seen"))
            .named("stamp")
            .to(&topic("out"));
    }),
    Program::dsl("process-terminal", |b| {
        drop(stream(b, "in").process::<Text, Text, _>(|| Stamp("seen")));
    }),
    Program::dsl("process-many", |b| {
        let lengths = stream(b, "in").process(|| LengthTwice);
        lengths
            .map_values(|length| Some(format!("length {length}")))
            .to(&topic("out"));
    }),
    Program::dsl("process-values", |b| {
        stream(b, "in")
            .process_values(|| Reheader)
            .to(&topic("out"));
    }),
    Program::dsl("process-values-named", |b| {
        stream(b, "in")
            .process_values(|| Reheader)
            .named("reheader")
            .to(&topic("out"));
    }),
    Program::dsl("process-chain", |b| {
        let once = stream(b, "in")
            .process(|| Stamp("one"))
            .process_values(|| Reheader);
        once.process(|| Stamp("two")).to(&topic("out"));
    }),
    Program::dsl("process-forward-to-child", |b| {
        let routed = stream(b, "in").process(|| ToChildren).named("route");
        let first = routed.clone().map_values(append("@1")).named("first");
        first.to(&topic("out-1"));
        routed
            .map_values(append("@2"))
            .named("second")
            .to(&topic("out-2"));
    }),
    Program::dsl("process-two-children-headers", |b| {
        let stream = stream(b, "in");
        stream.clone().process(|| Stamp("one")).to(&topic("out-1"));
        stream.clone().process(|| Stamp("two")).to(&topic("out-2"));
        stream.to(&topic("out-3"));
    }),
    Program::dsl("process-commit", |b| {
        stream(b, "in").process(|| Committing).to(&topic("out"));
    }),
    Program::dsl("process-stream-time", |b| {
        stream(b, "in").process(|| Stamp("t")).to(&topic("out"));
    }),
];

/// On the JVM the children of a node share one mutable list of headers, so that what one child adds
/// shows in its siblings' records. Here each child has its own.
const DIFFERENCES: &[Difference] = &[
    Difference {
        program: "process-two-children-headers",
        theirs: "one='yes', two='yes'",
        ours: "two='yes'",
    },
    Difference {
        program: "process-two-children-headers",
        theirs: "out-3 'k'='v' at 1 headers [h='1', two='yes']",
        ours: "out-3 'k'='v' at 1 headers [h='1']",
    },
];

#[test]
fn processors_are_as_on_the_jvm() {
    check(PROGRAMS, DIFFERENCES);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
