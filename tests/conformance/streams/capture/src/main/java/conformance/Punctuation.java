package conformance;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BiConsumer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** When punctuators fire: stream time and wall clock, anchored, missed and cancelled ticks. */
final class Punctuation {
    private Punctuation() {
    }

    /** Runs a set-up on init; passes records on. */
    static final class Scheduled extends ContextualProcessor<String, String, String, String> {
        private final BiConsumer<ProcessorContext<String, String>, Scheduled> setUp;
        private Cancellable schedule;
        private int fired;

        Scheduled(BiConsumer<ProcessorContext<String, String>, Scheduled> setUp) {
            this.setUp = setUp;
        }

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            setUp.accept(context, this);
        }

        @Override
        public void process(Record<String, String> record) {
            if ("cancel".equals(record.value())) {
                schedule.cancel();
            }
            if ("schedule".equals(record.value())) {
                schedule = context().schedule(Duration.ofMillis(10), PunctuationType.STREAM_TIME,
                    this::fire);
            }
            context().forward(record);
        }

        /** Notes the tick and forwards one record that has it as its timestamp. */
        void fire(long timestamp) {
            fired++;
            Note.add("fire " + timestamp + " stream-time " + context().currentStreamTimeMs()
                + " wall-clock " + context().currentSystemTimeMs()
                + " metadata " + context().recordMetadata().isPresent());
            context().forward(new Record<>("tick", String.valueOf(fired), timestamp));
        }
    }

    private static void program(StreamsBuilder b, BiConsumer<ProcessorContext<String, String>,
        Scheduled> setUp) {
        b.<String, String>stream("in").process(() -> new Scheduled(setUp)).to("out");
    }

    private static final Duration TEN = Duration.ofMillis(10);

    static void register(Registry r) {
        streamTime(r);
        wallClock(r);
    }

    private static void streamTime(Registry r) {
        r.dsl("punctuate-stream-time", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.STREAM_TIME, p::fire)))
            .scenario(s -> s.in("in", "k", "a", 103).in("in", "k", "b", 104).in("in", "k", "c", 112)
                .in("in", "k", "d", 113).in("in", "k", "old", 90).in("in", "k", "e", 160)
                .in("in", "k", "f", 165).in("in", "k", "g", 170).advance(1000));
        r.dsl("punctuate-stream-time-from-zero", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.STREAM_TIME, p::fire)))
            .scenario(s -> s.in("in", "k", "a", 0).in("in", "k", "b", 9).in("in", "k", "c", 10)
                .in("in", "k", "d", 35).in("in", "k", "e", 39).in("in", "k", "f", 40));
        r.dsl("punctuate-stream-time-anchored", b -> program(b, (context, p) ->
                p.schedule = context.schedule(Instant.ofEpochMilli(3), TEN,
                    PunctuationType.STREAM_TIME, p::fire)))
            .scenario(s -> s.in("in", "k", "a", 1).in("in", "k", "b", 3).in("in", "k", "c", 12)
                .in("in", "k", "d", 13).in("in", "k", "e", 57).in("in", "k", "f", 62)
                .in("in", "k", "g", 63));
        r.dsl("punctuate-stream-time-anchored-past", b -> program(b, (context, p) ->
                p.schedule = context.schedule(Instant.ofEpochMilli(3), TEN,
                    PunctuationType.STREAM_TIME, p::fire)))
            .scenario(s -> s.in("in", "k", "a", 105).in("in", "k", "b", 112)
                .in("in", "k", "c", 113));
        r.dsl("punctuate-stream-time-cancelled", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.STREAM_TIME, p::fire)))
            .scenario(s -> s.in("in", "k", "a", 10).in("in", "k", "b", 20)
                .in("in", "k", "cancel", 30)
                .in("in", "k", "c", 40));
        r.dsl("punctuate-scheduled-later", b -> program(b, (context, p) -> { }))
            .scenario(s -> s.in("in", "k", "a", 5).in("in", "k", "schedule", 17)
                .in("in", "k", "b", 18)
                .in("in", "k", "c", 26).in("in", "k", "d", 27).in("in", "k", "e", 40));
        r.dsl("punctuate-cancels-itself", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.STREAM_TIME, timestamp -> {
                    p.fire(timestamp);
                    if (p.fired == 2) {
                        p.schedule.cancel();
                    }
                })))
            .scenario(s -> s.in("in", "k", "a", 10).in("in", "k", "b", 20).in("in", "k", "c", 30)
                .in("in", "k", "d", 40));
    }

    private static void wallClock(Registry r) {
        r.dsl("punctuate-wall-clock", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.WALL_CLOCK_TIME, p::fire)))
            .scenario(s -> s.advance(9).advance(1).in("in", "k", "a", 500).advance(10).advance(35)
                .advance(4).advance(1).advance(10));
        r.dsl("punctuate-wall-clock-anchored", b -> program(b, (context, p) ->
                p.schedule = context.schedule(Instant.ofEpochMilli(25), TEN,
                    PunctuationType.WALL_CLOCK_TIME, p::fire)))
            .scenario(s -> s.advance(10).advance(14).advance(1).advance(9).advance(1).advance(33)
                .advance(7));
        r.dsl("punctuate-wall-clock-anchored-past", b -> program(b, (context, p) ->
                p.schedule = context.schedule(Instant.EPOCH, TEN, PunctuationType.WALL_CLOCK_TIME,
                    p::fire)))
            .scenario(s -> s.advance(0).advance(3).advance(7).advance(10));
        r.dsl("punctuate-wall-clock-cancelled", b -> program(b, (context, p) ->
                p.schedule = context.schedule(TEN, PunctuationType.WALL_CLOCK_TIME, p::fire)))
            .scenario(s -> s.advance(10).in("in", "k", "cancel", 1).advance(10));
        r.dsl("punctuate-both", b -> program(b, (context, p) -> {
                context.schedule(TEN, PunctuationType.WALL_CLOCK_TIME, t -> {
                    Note.add("wall clock");
                    p.fire(t);
                });
                context.schedule(Duration.ofMillis(15), PunctuationType.STREAM_TIME, t -> {
                    Note.add("stream time");
                    p.fire(t);
                });
                context.schedule(TEN, PunctuationType.STREAM_TIME, t -> {
                    Note.add("stream time, ten");
                    p.fire(t);
                });
            }))
            .scenario(s -> s.in("in", "k", "a", 1).advance(10).in("in", "k", "b", 15, "h", "1")
                .advance(5)
                .in("in", "k", "c", 30).advance(30));
    }
}
