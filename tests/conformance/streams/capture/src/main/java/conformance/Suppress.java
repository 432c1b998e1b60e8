package conformance;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** Results held back: until a window closes, for a time, up to a size. */
final class Suppress {
    private Suppress() {
    }

    private static KTable<String, String> table(StreamsBuilder b) {
        return Text.table(b, "in");
    }

    private static KTable<String, Long> count(StreamsBuilder b) {
        return Text.stream(b, "in").groupByKey().count(Table.store("counts"));
    }

    private static KTable<Windowed<String>, Long> windows(StreamsBuilder b, long grace) {
        return Text.stream(b, "in").groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Window.ms(10), Window.ms(grace)))
            .count(Window.windows("counts"));
    }

    private static Suppressed<String> limit(long ms, BufferConfig<?> buffer) {
        return Suppressed.untilTimeLimit(Duration.ofMillis(ms), buffer);
    }

    static void register(Registry r) {
        closing(r);
        limits(r);
    }

    private static void closing(Registry r) {
        r.dsl("suppress-window-close", b -> windows(b, 0)
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream()
                .to("out"))
            .scenario(s -> Window.edges(s).in("in", "z", "end", 500));
        r.dsl("suppress-window-close-grace", b -> windows(b, 10)
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("final"))
                .toStream().to("out"))
            .scenario(s -> Window.edges(s).in("in", "z", "end", 500));
        r.dsl("suppress-window-close-bounded", b -> windows(b, 0)
                .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(2)
                    .shutDownWhenFull()))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 1).in("in", "b", "2", 2).in("in", "a", "3", 3)
                .in("in", "c", "4", 4)).fails();
        r.dsl("suppress-session-close", b -> Text.stream(b, "in").groupByKey()
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(Window.ms(5), Window.ms(3)))
                .count(Window.sessions("counts"))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream()
                .to("out"))
            .scenario(s -> Window.edges(s).in("in", "z", "end", 500));
        r.dsl("suppress-sliding-close", b -> Text.stream(b, "in").groupByKey()
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(Window.ms(10), Window.ms(5)))
                .count(Window.windows("counts"))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())).toStream()
                .to("out"))
            .scenario(s -> Window.edges(s).in("in", "z", "end", 500));
        r.dsl("suppress-window-close-no-changelog", b -> windows(b, 0)
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()
                    .withLoggingDisabled()))
                .toStream().to("out"))
            .scenario(s -> Window.edges(s).in("in", "z", "end", 500));
    }

    private static void limits(Registry r) {
        r.dsl("suppress-time-limit", b -> count(b).suppress(limit(20, BufferConfig.unbounded()))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 10, "h", "1").in("in", "a", "2", 15)
                .in("in", "b", "3", 25)
                .in("in", "c", "4", 30).in("in", "a", "5", 31).in("in", "c", "6", 45)
                .in("in", "c", "7", 100)
                .advance(1000));
        r.dsl("suppress-time-limit-zero", b -> count(b).suppress(limit(0, BufferConfig.unbounded()))
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("suppress-time-limit-named", b -> count(b)
            .suppress(limit(20, BufferConfig.unbounded()).withName("slow")).toStream().to("out"));
        r.dsl("suppress-max-records", b -> count(b)
            .suppress(limit(1000, BufferConfig.maxRecords(2)))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 10, "h", "1").in("in", "b", "2", 5)
                .in("in", "a", "3", 20)
                .in("in", "c", "4", 30).in("in", "d", "5", 7).in("in", "e", "6", 2000));
        r.dsl("suppress-max-bytes", b -> table(b).suppress(limit(1000, BufferConfig.maxBytes(200)))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "x".repeat(20), 10).in("in", "b", "y".repeat(20), 20)
                .in("in", "c", "z".repeat(20), 30).in("in", "d", "w".repeat(200), 40));
        r.dsl("suppress-shut-down-when-full", b -> table(b).suppress(
                limit(1000, BufferConfig.maxRecords(1).shutDownWhenFull())).toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 1).in("in", "a", "2", 2).in("in", "b", "3", 3))
            .fails();
        r.dsl("suppress-table-tombstones", b -> table(b)
            .suppress(limit(20, BufferConfig.unbounded()))
                .toStream().to("out"))
            .scenario(s -> Table.changes(s).in("in", "end", "x", 1000));
        r.dsl("suppress-then-group", b -> table(b).suppress(limit(20, BufferConfig.unbounded()))
                .groupBy((k, v) -> KeyValue.pair(v, k),
                    Grouped.with(Serdes.String(), Serdes.String()))
                .count(Table.store("members")).toStream().to("out"))
            .scenario(s -> TableAggregate.people(s).in("in", "end", "x", 1000));
        r.dsl("suppress-then-join", b -> table(b).suppress(limit(10, BufferConfig.unbounded()))
                .join(Text.table(b, "other"), (left, right) -> left + "+" + right).toStream()
                .to("out"))
            .scenario(s -> s.in("other", "a", "R", 1).in("in", "a", "1", 2).in("in", "a", "2", 5)
                .in("in", "b", "3", 50));
    }
}
