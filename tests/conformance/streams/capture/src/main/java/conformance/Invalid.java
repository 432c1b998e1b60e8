package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.state.Stores;

/** Programs that the JVM refuses to build, and what it says. */
final class Invalid {
    private static final List<String> LINES = new ArrayList<>();

    private Invalid() {
    }

    private interface Dsl {
        void build(StreamsBuilder b);
    }

    private interface Papi {
        void build(Topology topology);
    }

    static void write(Path file) throws IOException {
        LINES.clear();
        names();
        graphs();
        windows();
        Files.write(file, LINES);
    }

    private static void dsl(String name, Dsl program) {
        refused(name, () -> {
            StreamsBuilder builder = new StreamsBuilder();
            program.build(builder);
            return builder.build().describe().toString();
        });
    }

    private static void papi(String name, Papi program) {
        refused(name, () -> {
            Topology topology = new Topology();
            program.build(topology);
            return topology.describe().toString();
        });
    }

    private static void refused(String name, java.util.function.Supplier<String> program) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "invalid");
        line.put("program", name);
        try {
            line.put("described", program.get());
        } catch (RuntimeException error) {
            line.put("class", error.getClass().getName());
            line.put("message", error.getMessage());
        }
        LINES.add(Json.line(line));
    }

    private static void names() {
        dsl("name-with-space", b -> Text.stream(b, "in").filter((k, v) -> true, Named.as("a b")));
        dsl("name-empty", b -> Text.stream(b, "in").filter((k, v) -> true, Named.as("")));
        dsl("name-dots", b -> Text.stream(b, "in").filter((k, v) -> true, Named.as("..")));
        dsl("name-too-long", b -> Text.stream(b, "in")
            .filter((k, v) -> true, Named.as("n".repeat(250))));
        dsl("name-longest", b -> Text.stream(b, "in")
            .filter((k, v) -> true, Named.as("n".repeat(249))));
        dsl("name-taken", b -> Text.stream(b, "in").filter((k, v) -> true, Named.as("same"))
            .mapValues(v -> v, Named.as("same")));
        dsl("store-name-taken", b -> {
            Text.stream(b, "in").groupByKey().count(Table.store("same"));
            Text.stream(b, "other").groupByKey().count(Table.store("same"));
        });
        dsl("repartition-name-taken", b -> {
            Text.stream(b, "in").repartition(Repartitioned.as("same"));
            Text.stream(b, "other").repartition(Repartitioned.as("same"));
        });
        dsl("group-name-taken-after-other-keys", b -> {
            Text.stream(b, "in").groupBy((k, v) -> v, Grouped.as("same")).count();
            Text.stream(b, "other").groupBy((k, v) -> v, Grouped.as("same")).count();
        });
    }

    private static void graphs() {
        papi("source-name-taken", t -> t.addSource("a", "in").addSource("a", "other"));
        papi("topic-read-twice", t -> t.addSource("a", "in").addSource("b", "in"));
        papi("topic-matches-pattern", t -> t.addSource("a", Pattern.compile("in.*"))
            .addSource("b", "in-1"));
        papi("pattern-matches-topic", t -> t.addSource("b", "in-1")
            .addSource("a", Pattern.compile("in.*")));
        papi("source-without-topic", t -> t.addSource("a", new String[0]));
        papi("processor-without-parent", t -> t.addProcessor("p", () -> new Idle()));
        papi("processor-of-unknown-parent", t -> t.addProcessor("p", () -> new Idle(), "nobody"));
        papi("processor-of-itself", t -> t.addProcessor("p", () -> new Idle(), "p"));
        papi("sink-of-unknown-parent", t -> t.addSink("s", "out", "nobody"));
        papi("sink-without-parent", t -> t.addSink("s", "out"));
        papi("sink-of-sink", t -> t.addSource("a", "in").addSink("s", "out", "a")
            .addSink("z", "out", "s"));
        papi("store-of-unknown-processor", t -> t.addStateStore(Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore("s"), Serdes.String(), Serdes.String()), "nobody"));
        papi("store-of-source", t -> t.addSource("a", "in")
            .addStateStore(Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore("s"), Serdes.String(), Serdes.String()), "a"));
        dsl("store-not-added", b -> Text.stream(b, "in").process(Idle::new, "missing"));
        dsl("different-resets", b -> {
            b.stream("in", Consumed.with(AutoOffsetReset.earliest()));
            b.stream("in", Consumed.with(AutoOffsetReset.latest()));
        });
        dsl("pattern-and-its-topic", b -> {
            b.stream(Pattern.compile("in.*")).to("out-1");
            b.stream("in-1").to("out-2");
        });
        dsl("empty-topics", b -> b.stream(List.of()));
        dsl("nothing", b -> { });
        dsl("table-and-stream-of-one-topic", b -> {
            Text.table(b, "in").toStream().to("out-1");
            Text.stream(b, "in").to("out-2");
        });
        dsl("two-tables-of-one-topic", b -> {
            Text.table(b, "in").toStream().to("out-1");
            Text.table(b, "in").toStream().to("out-2");
        });
    }

    /** Passes nothing on. */
    private static final class Idle
            extends org.apache.kafka.streams.processor.api.ContextualProcessor<
                String, String, String, String> {
        @Override
        public void process(org.apache.kafka.streams.processor.api.Record<String, String> record) {
        }
    }

    private static void windows() {
        refused("window-of-zero", () -> TimeWindows.ofSizeWithNoGrace(Duration.ZERO).toString());
        refused("negative-grace", () ->
            TimeWindows.ofSizeAndGrace(Duration.ofMillis(1), Duration.ofMillis(-1)).toString());
        refused("advance-beyond-size", () ->
            TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(5)).advanceBy(Duration.ofMillis(6))
                .toString());
        refused("advance-of-zero", () ->
            TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(5)).advanceBy(Duration.ZERO)
                .toString());
        refused("negative-difference", () ->
            SlidingWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(-1)).toString());
        refused("join-window-ends-before-it-starts", () ->
            JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(5))
                .before(Duration.ofMillis(-6)).toString());
        dsl("retention-below-window", b -> Text.stream(b, "in").groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(10), Duration.ofMillis(10)))
            .count(Window.<String, Long>windows("counts").withRetention(Duration.ofMillis(19))));
    }
}
