//! Punctuation.java: when punctuations are called.

use std::time::Duration;

use streams_dsl::{
    Processor, ProcessorContext, ProcessorError, Punctuation, PunctuationType, Record,
    StreamsBuilder,
};

use crate::program::{Difference, Program, check, note};
use crate::text::{Text, stream, topic};

type Context<'a> = ProcessorContext<'a, Text, Text>;

const TEN: Duration = Duration::from_millis(10);

/// Schedules on init; passes records on.
struct Scheduled {
    set_up: fn(&mut Context<'_>) -> Vec<(Punctuation, &'static str)>,
    schedules: Vec<(Punctuation, &'static str)>,
    cancels_itself: bool,
    fired: u32,
}

impl Scheduled {
    fn first(&self) -> Option<Punctuation> {
        self.schedules.first().map(|(punctuation, _)| *punctuation)
    }
}

impl Processor<Text, Text, Text, Text> for Scheduled {
    fn init(&mut self, context: &mut Context<'_>) -> Result<(), ProcessorError> {
        self.schedules = (self.set_up)(context);
        Ok(())
    }

    fn process(
        &mut self,
        context: &mut Context<'_>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        match (record.value.as_deref(), self.first()) {
            (Some("cancel"), Some(first)) => context.cancel(first),
            (Some("schedule"), _) => {
                let schedule = context.schedule(TEN, PunctuationType::StreamTime);
                self.schedules.push((schedule, ""));
            }
            _ => {}
        }
        context.forward(record);
        Ok(())
    }

    fn punctuate(
        &mut self,
        context: &mut Context<'_>,
        punctuation: Punctuation,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        let mut names = self
            .schedules
            .iter()
            .filter(|(schedule, _)| *schedule == punctuation);
        if let Some((_, name)) = names.next().filter(|(_, name)| !name.is_empty()) {
            note(*name);
        }
        self.fired += 1;
        let stream_time = context.current_stream_time_ms();
        let wall_clock = context.current_system_time_ms();
        let metadata = context.record_metadata().is_some();
        note(format!(
            "fire {timestamp_ms} stream-time {stream_time} wall-clock {wall_clock} \
             metadata {metadata}"
        ));
        let (key, value) = (Some("tick".to_owned()), Some(self.fired.to_string()));
        context.forward(Record::new(key, value, timestamp_ms));
        if self.cancels_itself && self.fired == 2 {
            context.cancel(punctuation);
        }
        Ok(())
    }
}

fn program(
    b: &StreamsBuilder,
    cancels_itself: bool,
    set_up: fn(&mut Context<'_>) -> Vec<(Punctuation, &'static str)>,
) {
    let scheduled = move || Scheduled {
        set_up,
        schedules: Vec::new(),
        cancels_itself,
        fired: 0,
    };
    stream(b, "in").process(scheduled).to(&topic("out"));
}

fn stream_time(context: &mut Context<'_>) -> Vec<(Punctuation, &'static str)> {
    vec![(context.schedule(TEN, PunctuationType::StreamTime), "")]
}

fn wall_clock(context: &mut Context<'_>) -> Vec<(Punctuation, &'static str)> {
    vec![(context.schedule(TEN, PunctuationType::WallClockTime), "")]
}

fn anchored_at_3(context: &mut Context<'_>) -> Vec<(Punctuation, &'static str)> {
    vec![(
        context.schedule_from(3, TEN, PunctuationType::StreamTime),
        "",
    )]
}

const PROGRAMS: &[Program] = &[
    Program::dsl("punctuate-stream-time", |b| program(b, false, stream_time)),
    Program::dsl("punctuate-stream-time-from-zero", |b| {
        program(b, false, stream_time)
    }),
    Program::dsl("punctuate-stream-time-anchored", |b| {
        program(b, false, anchored_at_3)
    }),
    Program::dsl("punctuate-stream-time-anchored-past", |b| {
        program(b, false, anchored_at_3)
    }),
    Program::dsl("punctuate-stream-time-cancelled", |b| {
        program(b, false, stream_time)
    }),
    Program::dsl("punctuate-scheduled-later", |b| {
        program(b, false, |_| Vec::new())
    }),
    Program::dsl("punctuate-cancels-itself", |b| {
        program(b, true, stream_time)
    }),
    Program::dsl("punctuate-wall-clock", |b| program(b, false, wall_clock)),
    Program::dsl("punctuate-wall-clock-anchored", |b| {
        program(b, false, |context| {
            vec![(
                context.schedule_from(25, TEN, PunctuationType::WallClockTime),
                "",
            )]
        });
    }),
    Program::dsl("punctuate-wall-clock-anchored-past", |b| {
        program(b, false, |context| {
            vec![(
                context.schedule_from(0, TEN, PunctuationType::WallClockTime),
                "",
            )]
        });
    }),
    Program::dsl("punctuate-wall-clock-cancelled", |b| {
        program(b, false, wall_clock)
    }),
    Program::dsl("punctuate-both", |b| {
        program(b, false, |context| {
            let fifteen = Duration::from_millis(15);
            vec![
                (
                    context.schedule(TEN, PunctuationType::WallClockTime),
                    "wall clock",
                ),
                (
                    context.schedule(fifteen, PunctuationType::StreamTime),
                    "stream time",
                ),
                (
                    context.schedule(TEN, PunctuationType::StreamTime),
                    "stream time, ten",
                ),
            ]
        });
    }),
];

/// A punctuation has no record, so it has no metadata here; the JVM shows some that says nothing.
const DIFFERENCES: &[Difference] = &[Difference {
    program: "",
    theirs: "metadata true",
    ours: "metadata false",
}];

#[test]
fn punctuations_are_called_as_on_the_jvm() {
    check(PROGRAMS, DIFFERENCES);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
