package conformance;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/** The same programs with topology.optimization off and on. */
final class Optimization {
    private Optimization() {
    }

    private interface Build {
        void build(StreamsBuilder b);
    }

    /** Adds the program twice: as it is, and with the optimisation. */
    private static void both(Registry r, String name, String optimization, Build program) {
        r.dsl(name + "-plain", program::build);
        r.dsl(name + "-optimized", program::build).config("topology.optimization", optimization);
    }

    private static KStream<String, String> keyed(StreamsBuilder b) {
        return Text.stream(b, "in").map((k, v) -> KeyValue.pair(v, k));
    }

    static void register(Registry r) {
        repartitions(r);
        sources(r);
        named(r);
        stores(r);
    }

    private static void repartitions(Registry r) {
        both(r, "two-aggregations-of-one-group", "merge.repartition.topics", b -> {
            KGroupedStream<String, String> grouped = keyed(b).groupByKey();
            grouped.count().toStream().to("out-1");
            grouped.reduce((x, y) -> x + y).toStream().to("out-2");
        });
        both(r, "two-groups-of-one-key-change", "merge.repartition.topics", b -> {
            KStream<String, String> keyed = keyed(b);
            keyed.groupByKey().count().toStream().to("out-1");
            keyed.groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(5)))
                .count()
                .toStream((k, v) -> k.key()).to("out-2");
        });
        both(r, "aggregation-and-join-of-one-key-change", "all", b -> {
            KStream<String, String> keyed = keyed(b);
            keyed.filter((k, v) -> v != null).groupByKey().count().toStream().to("out-1");
            keyed.mapValues(v -> v + "!").join(Text.table(b, "table"), (x, y) -> x + y).to("out-2");
            keyed.peek((k, v) -> Note.add(k)).to("out-3");
        });
        both(r, "stream-joins-of-one-key-change", "all", b -> {
            KStream<String, String> keyed = keyed(b);
            KStream<String, String> other = Text.stream(b, "other");
            JoinWindows windows = JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(5));
            keyed.join(other, (x, y) -> x + y, windows).to("out-1");
            keyed.leftJoin(other, (x, y) -> x + y, windows).to("out-2");
        });
        both(r, "two-key-changes", "merge.repartition.topics", b -> {
            KStream<String, String> keyed = keyed(b);
            keyed.selectKey((k, v) -> v).groupByKey().count().toStream().to("out-1");
            keyed.groupByKey().count().toStream().to("out-2");
        });
        both(r, "named-groups-of-one-key-change", "merge.repartition.topics", b -> {
            KStream<String, String> keyed = keyed(b);
            keyed.groupByKey(Grouped.as("first")).count().toStream().to("out-1");
            keyed.groupByKey(Grouped.as("second")).count().toStream().to("out-2");
        });
        both(r, "explicit-repartition-and-groups", "all", b -> {
            KStream<String, String> keyed = keyed(b).repartition(Repartitioned.as("once"));
            keyed.groupByKey().count().toStream().to("out-1");
            keyed.groupBy((k, v) -> v).count().toStream().to("out-2");
        });
        both(r, "merged-streams-grouped", "all", b -> {
            keyed(b).merge(Text.stream(b, "other").selectKey((k, v) -> v)).groupByKey().count()
                .toStream().to("out");
        });
    }

    private static void sources(Registry r) {
        both(r, "table-source-topic", "reuse.ktable.source.topics",
            b -> Text.table(b, "in").filter((k, v) -> true, Table.store("kept")).toStream()
                .to("out"));
        both(r, "table-source-joined", "reuse.ktable.source.topics", b -> Text.stream(b, "left")
            .join(Text.table(b, "right"), (x, y) -> x + y).to("out"));
        both(r, "table-source-and-count", "all", b -> {
            KTable<String, String> table = b.table("in", Text.text(), Table.store("fruit"));
            table.groupBy((k, v) -> KeyValue.pair(v, k)).count().toStream().to("out");
            Text.stream(b, "other").groupBy((k, v) -> v).count().toStream().to("out-2");
        });
        both(r, "self-join-and-aggregation", "all", b -> {
            KStream<String, String> in = Text.stream(b, "in");
            in.join(in, (x, y) -> x + y,
                JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(5))).to("out-1");
            in.groupByKey().count().toStream().to("out-2");
        });
    }

    private static void named(Registry r) {
        r.dsl("word-count-naming-enforced", b -> Text.stream(b, "in")
                .groupBy((k, v) -> v, Grouped.as("by-word")).count(Table.store("counts")).toStream()
                .to("out"))
            .config("ensure.explicit.internal.resource.naming", true);
        r.dsl("word-count-in-memory", b -> Text.stream(b, "in")
                .groupBy((k, v) -> v).count().toStream().to("out"))
            .config("default.dsl.store", "in_memory");
    }

    private static void stores(Registry r) {
        r.dsl("process-with-store", b -> {
            b.addStateStore(Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long()));
            Text.stream(b, "in").process(Papi.Count::new, "counts").to("out");
        }).scenario(s -> s.in("in", "a", "1", 10, "h", "1").in("in", "b", "2", 20)
            .in("in", "a", "reset", 15));
        r.dsl("process-two-with-one-store", b -> {
            b.addStateStore(Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore("counts"), Serdes.String(), Serdes.Long()));
            Text.stream(b, "left").process(Papi.Count::new, "counts").to("out-1");
            Text.stream(b, "right").process(Papi.Count::new, "counts").to("out-2");
        }).scenario(s -> s.in("left", "a", "1", 10).in("right", "a", "2", 20));
        r.dsl("global-store", b -> b.addGlobalStore(
            Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("all"), Serdes.String(),
                Serdes.String())
                .withLoggingDisabled(),
            "in", Text.text(), () -> new org.apache.kafka.streams.processor.api.ContextualProcessor<
                String, String, Void, Void>() {
                @Override
                public void process(org.apache.kafka.streams.processor.api.Record<String,
                    String> record) {
                    Note.add("global " + record.key() + "=" + record.value());
                }
            })).scenario(s -> s.in("in", "a", "1", 1).in("in", null, null, 2));
        r.papi("read-only-store", () -> new org.apache.kafka.streams.Topology()
            .addReadOnlyStateStore(
            Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("counts"), Serdes.String(),
                Serdes.Long())
                .withLoggingDisabled(),
            "source", Serdes.String().deserializer(), Serdes.Long().deserializer(), "in", "reader",
            () -> new org.apache.kafka.streams.processor.api.ContextualProcessor<String, Long, Void,
                Void>() {
                @Override
                public void process(org.apache.kafka.streams.processor.api.Record<String,
                    Long> record) {
                    Note.add("read " + record.key());
                }
            }));
    }
}
