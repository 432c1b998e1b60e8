package conformance;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** Aggregations over tumbling, hopping, sliding, session and unlimited windows. */
final class Window {
    private Window() {
    }

    static Duration ms(long ms) {
        return Duration.ofMillis(ms);
    }

    static <K, V> Materialized<K, V, WindowStore<Bytes, byte[]>> windows(String name) {
        return Materialized.as(name);
    }

    static <K, V> Materialized<K, V, SessionStore<Bytes, byte[]>> sessions(String name) {
        return Materialized.as(name);
    }

    private static KGroupedStream<String, String> grouped(StreamsBuilder b) {
        return Text.stream(b, "in").groupByKey();
    }

    private static TimeWindows tumbling(long size) {
        return TimeWindows.ofSizeWithNoGrace(ms(size));
    }

    private static TimeWindows graced(long size, long grace) {
        return TimeWindows.ofSizeAndGrace(ms(size), ms(grace));
    }

    /** Around the edges of windows of 10 ms: in order, late, too late, nulls, two keys. */
    static Scenario edges(Scenario s) {
        return s.in("in", "a", "1", 0, "h", "1").in("in", "a", "2", 9).in("in", "a", "3", 10)
            .in("in", "b", "4", 12).in("in", "a", "5", 5).in("in", null, "6", 13)
            .in("in", "a", null, 14)
            .in("in", "a", "7", 19).in("in", "b", "8", 8).in("in", "a", "9", 20)
            .in("in", "a", "10", 15)
            .in("in", "a", "11", 3).in("in", "a", "12", 40).in("in", "b", "13", 29)
            .in("in", "b", "14", 39);
    }

    static void register(Registry r) {
        time(r);
        emission(r);
        sliding(r);
        sessions(r);
    }

    private static void time(Registry r) {
        r.dsl("tumbling-count", b -> grouped(b).windowedBy(tumbling(10)).count().toStream()
            .to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-count-grace", b -> grouped(b).windowedBy(graced(10, 10))
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-count-named", b -> grouped(b).windowedBy(tumbling(10))
            .count(Named.as("counter"), windows("counts")).toStream().to("out"));
        r.dsl("tumbling-count-default-grace", b -> grouped(b)
                .windowedBy(graced(10, 24 * 3600 * 1000)).count(windows("counts")).toStream()
                .to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-reduce", b -> grouped(b).windowedBy(graced(10, 5))
                .reduce((old, now) -> old + "," + now, windows("texts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-aggregate", b -> grouped(b).windowedBy(graced(10, 5))
                // A window drops null keys only: a null value reaches the aggregator.
                .aggregate(() -> 0L, (k, v, sum) -> sum + (v == null ? 0 : Long.parseLong(v)),
                    Window.<String, Long>windows("sums").withValueSerde(Serdes.Long()))
                .toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-in-memory", b -> grouped(b).windowedBy(graced(10, 5)).count(
                Materialized.<String,
                    Long>as(Stores.inMemoryWindowStore("counts", ms(20), ms(10), false)))
                .toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-retention", b -> grouped(b).windowedBy(tumbling(10))
                .count(Window.<String, Long>windows("counts").withRetention(ms(30))).toStream()
                .to("out"))
            .scenario(s -> edges(s).in("in", "a", "x", 200000).in("in", "a", "y", 5));
        r.dsl("tumbling-cached", b -> grouped(b).windowedBy(graced(10, 10))
                .count(windows("counts")).toStream().to("out"))
            .config("statestore.cache.max.bytes", 1000000).scenario(Window::edges);
        r.dsl("tumbling-after-group-by", b -> Text.stream(b, "in")
            .groupBy((k, v) -> "all", Grouped.with(Serdes.String(), Serdes.String()))
                .windowedBy(tumbling(10)).count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-key-as-text", b -> grouped(b).windowedBy(tumbling(10)).count()
                .toStream((windowed, v) -> windowed.toString())
                .to("out", Produced.with(Serdes.String(), Serdes.Long())))
            .scenario(Window::edges);
        r.dsl("tumbling-windowed-serde", b -> grouped(b).windowedBy(tumbling(10)).count().toStream()
                .to("out", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 10),
                    Serdes.Long())))
            .scenario(Window::edges);
        r.dsl("hopping-count", b -> grouped(b).windowedBy(graced(10, 5).advanceBy(ms(5)))
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("hopping-uneven", b -> grouped(b).windowedBy(tumbling(10).advanceBy(ms(3)))
                .reduce((old, now) -> old + "," + now, windows("texts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("unlimited-count", b -> grouped(b).windowedBy(UnlimitedWindows.of())
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("unlimited-start", b -> grouped(b)
                .windowedBy(UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(10)))
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-two-keys-stream-time", b -> grouped(b).windowedBy(tumbling(10))
                .count(windows("counts")).toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 5).in("in", "b", "2", 25).in("in", "a", "3", 6)
                .in("in", "a", "4", 24).in("in", null, "5", 100).in("in", "a", "6", 26));
    }

    private static void emission(Registry r) {
        r.dsl("tumbling-on-close", b -> grouped(b).windowedBy(tumbling(10))
                .emitStrategy(EmitStrategy.onWindowClose()).count(windows("counts")).toStream()
                .to("out"))
            .scenario(Window::edges);
        r.dsl("tumbling-on-close-grace", b -> grouped(b).windowedBy(graced(10, 5))
                .emitStrategy(EmitStrategy.onWindowClose()).count(windows("counts")).toStream()
                .to("out"))
            .scenario(s -> edges(s).in("in", "c", "x", 54).in("in", "c", "x", 55)
                .in("in", "c", "x", 500));
        r.dsl("hopping-on-close", b -> grouped(b).windowedBy(tumbling(10).advanceBy(ms(5)))
                .emitStrategy(EmitStrategy.onWindowClose())
                .reduce((old, now) -> old + "," + now, windows("texts")).toStream().to("out"))
            .scenario(s -> edges(s).in("in", "c", "x", 500));
        r.dsl("sliding-on-close", b -> grouped(b)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(5)))
                .emitStrategy(EmitStrategy.onWindowClose()).count(windows("counts")).toStream()
                .to("out"))
            .scenario(s -> edges(s).in("in", "c", "x", 500));
        r.dsl("session-on-close", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(5), ms(3)))
                .emitStrategy(EmitStrategy.onWindowClose()).count(sessions("counts")).toStream()
                .to("out"))
            .scenario(s -> edges(s).in("in", "c", "x", 500));
        r.dsl("tumbling-on-update", b -> grouped(b).windowedBy(tumbling(10))
            .emitStrategy(EmitStrategy.onWindowUpdate()).count(windows("counts")).toStream()
            .to("out"));
    }

    private static void sliding(Registry r) {
        r.dsl("sliding-count", b -> grouped(b)
            .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(ms(10)))
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("sliding-count-grace", b -> grouped(b)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(20)))
                .count(windows("counts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("sliding-reduce", b -> grouped(b)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(50)))
                .reduce((old, now) -> old + "," + now, windows("texts")).toStream().to("out"))
            .scenario(Window::edges);
        r.dsl("sliding-aggregate-unnamed", b -> grouped(b)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(50)))
                .aggregate(() -> "", (k, v, all) -> all + v).toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 100).in("in", "a", "2", 100).in("in", "a", "3", 110)
                .in("in", "a", "4", 111).in("in", "a", "5", 105).in("in", "a", "6", 95)
                .in("in", "a", "7", 3));
        r.dsl("sliding-in-memory", b -> grouped(b)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(20))).reduce(
                    (old, now) -> old + "," + now,
                    Materialized.<String,
                        String>as(Stores.inMemoryWindowStore("texts", ms(60), ms(10), false)))
                .toStream().to("out"))
            .scenario(Window::edges);
    }

    /** Sessions that grow, touch, merge two and three, come late and too late. */
    private static Scenario visits(Scenario s) {
        return s.in("in", "a", "1", 10, "h", "1").in("in", "a", "2", 15).in("in", "b", "3", 12)
            .in("in", "a", "4", 30).in("in", "a", "5", 22).in("in", "a", "6", 21)
            .in("in", null, "7", 31)
            .in("in", "a", null, 32).in("in", "a", "8", 60).in("in", "a", "9", 45)
            .in("in", "a", "10", 1)
            .in("in", "b", "11", 70).in("in", "b", "12", 80).in("in", "b", "13", 91)
            .in("in", "a", "14", 60);
    }

    private static void sessions(Registry r) {
        r.dsl("session-count", b -> grouped(b)
            .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(ms(10)))
                .count(sessions("visits")).toStream().to("out"))
            .scenario(Window::visits);
        r.dsl("session-count-unnamed", b -> grouped(b)
            .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(ms(10))).count().toStream()
            .to("out"));
        r.dsl("session-reduce-grace", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(30)))
                .reduce((old, now) -> old + "," + now, sessions("visits")).toStream().to("out"))
            .scenario(Window::visits);
        r.dsl("session-aggregate", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(100)))
                .aggregate(() -> "", (k, v, all) -> all + v + ".", (k, one, two) -> one + "|" + two,
                    sessions("visits"))
                .toStream().to("out"))
            .scenario(Window::visits);
        r.dsl("session-in-memory", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(100))).count(
                    Materialized.<String, Long>as(Stores.inMemorySessionStore("visits", ms(200))))
                .toStream().to("out"))
            .scenario(Window::visits);
        r.dsl("session-windowed-serde", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(100))).count()
                .toStream()
                .to("out", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class),
                    Serdes.Long())))
            .scenario(Window::visits);
        r.dsl("session-cached", b -> grouped(b)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(100)))
                .count(sessions("visits")).toStream().to("out"))
            .config("statestore.cache.max.bytes", 1000000).scenario(Window::visits);
        r.dsl("session-after-map", b -> {
            KStream<String, String> in = Text.stream(b, "in");
            in.selectKey((k, v) -> "all").groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(10), ms(100)))
                .count(sessions("visits")).toStream().to("out");
        }).scenario(Window::visits);
    }
}
