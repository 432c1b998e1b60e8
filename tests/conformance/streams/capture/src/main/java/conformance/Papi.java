package conformance;

import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Topologies wired by hand with addSource, addProcessor and addSink. */
final class Papi {
    private Papi() {
    }

    /** Appends its name to the value. */
    static final class Append extends ContextualProcessor<String, String, String, String> {
        private final String text;

        Append(String text) {
            this.text = text;
        }

        @Override
        public void process(Record<String, String> record) {
            context().forward(record.withValue(record.value() + text));
        }
    }

    /** Sends short values to one child and long ones to the other. */
    static final class ByLength extends ContextualProcessor<String, String, String, String> {
        @Override
        public void process(Record<String, String> record) {
            boolean longer = record.value() != null && record.value().length() > 3;
            context().forward(record, longer ? "long" : "short");
        }
    }

    /** Counts per key in a store, and forwards the count. */
    static final class Count extends ContextualProcessor<String, String, String, String> {
        private KeyValueStore<String, Long> counts;

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            counts = context.getStateStore("counts");
        }

        @Override
        public void process(Record<String, String> record) {
            Long before = counts.get(record.key());
            long now = before == null ? 1 : before + 1;
            counts.put(record.key(), "reset".equals(record.value()) ? null : Long.valueOf(now));
            context().forward(record.withValue(String.valueOf(now)));
        }
    }

    static void register(Registry r) {
        r.papi("papi-source-sink", () -> new Topology().addSource("source", "in")
            .addSink("sink", "out", "source"))
            .scenario(s -> s.mixed("in"));
        r.papi("papi-chain", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("append", () -> new Append("+"), "source")
                .addSink("sink", "out", "append"))
            .scenario(s -> s.mixed("in"));
        r.papi("papi-two-parents", () -> new Topology()
                .addSource("left", "in")
                .addSource("right", "other")
                .addProcessor("append", () -> new Append("+"), "left", "right")
                .addSink("sink", "out", "append"))
            .scenario(s -> s.in("in", "a", "1", 1).in("other", "b", "2", 2));
        r.papi("papi-two-children", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("b-second", () -> new Append("b"), "source")
                .addProcessor("a-first", () -> new Append("a"), "source")
                .addSink("sink", "out", "a-first", "b-second"))
            .scenario(s -> s.in("in", "a", "1", 1));
        r.papi("papi-route", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("route", ByLength::new, "source")
                .addSink("short", "out-short", "route")
                .addSink("long", "out-long", "route"))
            .scenario(s -> s.mixed("in"));
        r.papi("papi-two-subtopologies", () -> new Topology()
                .addSource("source-b", "in-b").addSource("source-a", "in-a")
                .addSink("sink-a", "out-a", "source-a").addSink("sink-b", "out-b", "source-b"))
            .scenario(s -> s.in("in-a", "a", "1", 1).in("in-b", "b", "2", 2));
        r.papi("papi-several-topics", () -> new Topology()
            .addSource("source", "in-2", "in-1")
            .addProcessor("append", () -> new Append("+"), "source"));
        r.papi("papi-pattern", () -> new Topology()
            .addSource("source", Pattern.compile("in-.+")).addSink("sink", "out", "source"));
        r.papi("papi-extractor", () -> new Topology()
                .addSource("source", "in")
                .addSink("sink", new Sink.ByKey(), "source"))
            .scenario(s -> s.mixed("in"));
        r.papi("papi-partitioner", () -> new Topology()
                .addSource("source", new StringDeserializer(), new StringDeserializer(), "in")
                .addSink("sink", "out", new StringSerializer(), new StringSerializer(),
                    new Sink.ByLength(), "source"))
            .scenario(s -> s.mixed("in"));
        r.papi("papi-diamond", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("left", () -> new Append("l"), "source")
                .addProcessor("right", () -> new Append("r"), "source")
                .addProcessor("join", () -> new Append("."), "left", "right")
                .addSink("sink", "out", "join"))
            .scenario(s -> s.in("in", "a", "1", 1, "h", "1"));
        r.papi("papi-wide", () -> {
            Topology topology = new Topology().addSource("source", "in");
            for (int i = 0; i < 12; i++) {
                String text = Integer.toString(i);
                topology.addProcessor("p" + i, () -> new Append(text), "source");
            }
            return topology.addSink("sink", "out", "p11", "p2", "p1");
        }).scenario(s -> s.in("in", "a", "v", 1));
        r.papi("papi-deep", () -> {
            Topology topology = new Topology().addSource("source", "in");
            String parent = "source";
            for (int i = 0; i < 12; i++) {
                String text = Integer.toString(i);
                topology.addProcessor("p" + i, () -> new Append(text), parent);
                parent = "p" + i;
            }
            return topology.addSink("sink", "out", parent);
        }).scenario(s -> s.in("in", "a", "v", 1));
        stores(r);
    }

    private static void stores(Registry r) {
        r.papi("papi-store", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("count", Count::new, "source")
                .addStateStore(Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long()),
                        "count")
                .addSink("sink", "out", "count"))
            .scenario(s -> s.in("in", "a", "1", 10, "h", "1").in("in", "b", "2", 20)
                .in("in", "a", "3", 15)
                .in("in", "a", "reset", 30).in("in", "a", "4", 40));
        r.papi("papi-store-in-memory-no-changelog", () -> new Topology()
                .addSource("source", "in")
                .addProcessor("count", Count::new, "source")
                .addStateStore(Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore("counts"), Serdes.String(), Serdes.Long())
                    .withLoggingDisabled(), "count")
                .addSink("sink", "out", "count"))
            .scenario(s -> s.in("in", "a", "1", 10).in("in", "a", "3", 15));
        r.papi("papi-store-shared", () -> new Topology()
                .addSource("left", "in")
                .addSource("right", "other")
                .addProcessor("count-left", Count::new, "left")
                .addProcessor("count-right", Count::new, "right")
                .addStateStore(Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long())
                    .withLoggingEnabled(Map.of("retention.ms", "1000")), "count-left",
                        "count-right")
                .addSink("sink-left", "out-left", "count-left")
                .addSink("sink-right", "out-right", "count-right"))
            .scenario(s -> s.in("in", "a", "1", 10).in("other", "a", "2", 20));
    }
}
