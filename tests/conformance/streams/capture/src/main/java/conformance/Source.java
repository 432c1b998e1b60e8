package conformance;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp;
import org.apache.kafka.streams.processor.WallclockTimestampExtractor;

/** Streams of one topic, of several, of a pattern; where a record's timestamp comes from. */
final class Source {
    private Source() {
    }

    /** The number in the value; a value without one is given the timestamp -1. */
    static final class FromValue implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            Note.add("extract " + record.value() + " partition-time " + partitionTime);
            try {
                return Long.parseLong(String.valueOf(record.value()));
            } catch (NumberFormatException notANumber) {
                return -1;
            }
        }
    }

    static void register(Registry r) {
        r.dsl("stream-only", b -> b.stream("in"));
        r.dsl("stream-to", b -> b.stream("in").to("out")).scenario(s -> s.mixed("in"));
        r.dsl("stream-named", b -> b.stream("in", Consumed.as("read")).to("out"));
        r.dsl("stream-reset-latest",
            b -> b.stream("in", Consumed.with(AutoOffsetReset.latest())).to("out"));
        r.dsl("stream-reset-by-duration",
            b -> b.stream("in", Consumed.with(AutoOffsetReset.byDuration(Duration.ofHours(1))))
                .to("out"));
        r.dsl("stream-several", b -> b.<String, String>stream(List.of("in-b", "in-a", "in-c"))
                .mapValues(v -> v + "!").to("out"))
            .scenario(s -> s.in("in-a", "k", "a", 30).in("in-b", "k", "b", 10)
                .in("in-c", null, "c", 20));
        r.dsl("stream-several-named",
            b -> b.stream(List.of("in-b", "in-a"), Consumed.as("read")).to("out"));
        r.dsl("stream-pattern", b -> b.stream(Pattern.compile("in-[a-z]+")).to("out"));
        r.dsl("stream-pattern-named",
            b -> b.stream(Pattern.compile("in-.*"), Consumed.as("read")).to("out"));
        r.dsl("stream-pattern-and-topic", b -> {
            b.stream(Pattern.compile("log-\\d+")).to("logs");
            b.stream("events").to("seen");
        });
        r.dsl("stream-long-key", b -> b.stream("in", Consumed.with(Serdes.Long(), Serdes.String()))
                .map((k, v) -> new org.apache.kafka.streams.KeyValue<>(v, String.valueOf(k)))
                .to("out"))
            .scenario(s -> s.raw("in", new byte[] {0, 0, 0, 0, 0, 0, 1, 0}, Scenario.bytes("x"), 1)
                .raw("in", null, Scenario.bytes("y"), 2));
        timestamps(r);
        order(r);
    }

    private static void timestamps(Registry r) {
        r.dsl("timestamp-extractor", b -> b
                .stream("in", Consumed.<String, String>with(new FromValue())).to("out"))
            .scenario(s -> s.in("in", "k", "500", 1).in("in", "k", "200", 2)
                .in("in", "k", "900", 3));
        r.dsl("timestamp-extractor-fails", b -> b
                .stream("in", Consumed.<String, String>with(new FromValue())).to("out"))
            .scenario(s -> s.in("in", "k", "500", 1).in("in", "k", "none", 2)
                .in("in", "k", "600", 3));
        r.dsl("timestamp-skip-invalid", b -> b.stream("in",
                    Consumed.<String, String>with(new LogAndSkipOnInvalidTimestamp() {
                        @Override
                        public long extract(ConsumerRecord<Object, Object> record,
                            long partitionTime) {
                            return record.value() == null ? -1
                                : super.extract(record, partitionTime);
                        }
                    })).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("timestamp-partition-time", b -> b.stream("in",
                    Consumed.<String, String>with(new UsePartitionTimeOnInvalidTimestamp()))
                        .to("out"))
            .scenario(s -> s.in("in", "k", "a", 50).in("in", "k", "b", 20));
        r.dsl("timestamp-wall-clock", b -> b.stream("in").to("out"))
            .config("default.timestamp.extractor", WallclockTimestampExtractor.class);
    }

    /** With an idle time a task waits for all its inputs, and takes the earliest head first. */
    private static void order(Registry r) {
        r.dsl("order-two-topics", b -> b.<String, String>stream(List.of("left", "right"))
                .process(() -> new Process.Stamp("seen")).to("out"))
            .config("max.task.idle.ms", 1000)
            .scenario(s -> s.in("left", "l", "1", 10).in("left", "l", "2", 30)
                .in("left", "l", "3", 50)
                .in("right", "r", "1", 20).in("right", "r", "2", 30).in("right", "r", "3", 5)
                .advance(999).advance(1).in("left", "l", "4", 60).in("right", "r", "4", 55)
                .advance(1000));
        r.dsl("order-merged", b -> b.<String, String>stream("left").merge(b.stream("right"))
                .process(() -> new Process.Stamp("seen")).to("out"))
            .config("max.task.idle.ms", 500)
            .scenario(s -> s.in("right", "r", "1", 100).in("right", "r", "2", 200)
                .in("left", "l", "1", 150).in("left", "l", "2", 150).in("left", "l", "3", 250)
                .in("right", "r", "3", 225).advance(500));
        r.dsl("order-no-idle", b -> b.<String, String>stream("left").merge(b.stream("right"))
            .to("out"))
            .scenario(s -> s.in("right", "r", "1", 100).in("left", "l", "1", 50)
                .in("right", "r", "2", 75));
    }
}
