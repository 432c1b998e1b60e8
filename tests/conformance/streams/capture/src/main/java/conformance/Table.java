package conformance;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Tables: sources, stateless steps on them, and the way from and to streams. */
final class Table {
    private Table() {
    }

    static <K, V> Materialized<K, V, KeyValueStore<Bytes, byte[]>> store(String name) {
        return Materialized.as(name);
    }

    private static KTable<String, String> table(StreamsBuilder b) {
        return Text.table(b, "in");
    }

    private static boolean hasAn(String value) {
        return value.contains("an");
    }

    /** Inserts, updates, an idempotent update, a late one, tombstones, a null key. */
    static Scenario changes(Scenario s) {
        return s.in("in", "a", "banana", 10, "trace", "one").in("in", "b", "cherry", 20)
            .in("in", "a", "mango", 30).in("in", "a", "mango", 40).in("in", "b", "orange", 15)
            .in("in", "a", "apple", 50).in("in", "a", null, 60).in("in", "a", null, 70)
            .in("in", null, "nobody", 80).in("in", "never", null, 90).in("in", "b", "", 100);
    }

    static void register(Registry r) {
        sources(r);
        filters(r);
        values(r);
        streams(r);
        stores(r);
    }

    private static void sources(Registry r) {
        r.dsl("table", b -> table(b).toStream().to("out")).scenario(Table::changes);
        r.dsl("table-only", b -> table(b));
        r.dsl("table-named-store", b -> b.table("in", Text.text(), store("fruit")).toStream()
            .to("out"))
            .scenario(Table::changes);
        r.dsl("table-named-source",
            b -> b.table("in", Consumed.<String, String>as("read"), store("fruit")).toStream()
                .to("out"));
        r.dsl("table-serdes",
            b -> b.table("in", Materialized.with(Serdes.String(), Serdes.Integer()))
                .toStream().to("out"))
            .scenario(s -> s.raw("in", Scenario.bytes("k"), new byte[] {0, 0, 0, 1}, 1)
                .raw("in", Scenario.bytes("k"), null, 2));
        r.dsl("table-optimized", b -> b.table("in", Text.text(), store("fruit")).toStream()
            .to("out"))
            .config("topology.optimization", "all").scenario(Table::changes);
        r.dsl("table-two-children", b -> {
            KTable<String, String> table = b.table("in", Text.text(), store("fruit"));
            table.toStream().to("out-1");
            table.filter((k, v) -> hasAn(v)).toStream().to("out-2");
        }).scenario(Table::changes);
    }

    private static void filters(Registry r) {
        r.dsl("table-filter", b -> table(b).filter((k, v) -> hasAn(v)).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-filter-named",
            b -> table(b).filter((k, v) -> hasAn(v), Named.as("with-an")).toStream().to("out"));
        r.dsl("table-filter-materialized",
                b -> table(b).filter((k, v) -> hasAn(v), store("kept")).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-filter-not", b -> table(b).filterNot((k, v) -> hasAn(v)).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-filter-not-materialized", b -> table(b)
            .filterNot((k, v) -> hasAn(v), Named.as("without-an"), store("kept")).toStream()
            .to("out"));
        r.dsl("table-filter-of-materialized-table",
                b -> b.table("in", Text.text(), store("fruit")).filter((k, v) -> hasAn(v))
                    .toStream()
                    .mapValues(v -> v).to("out"))
            .scenario(Table::changes);
    }

    /** Appends the key, or says there is nothing. */
    private static final class Describe implements ValueTransformerWithKey<String, String, String> {
        @Override
        public void init(ProcessorContext context) {
            Note.add("init");
        }

        @Override
        public String transform(String key, String value) {
            Note.add("transform " + key + "=" + value);
            return value == null ? null : key + ":" + value;
        }

        @Override
        public void close() {
            Note.add("close");
        }
    }

    private static void values(Registry r) {
        r.dsl("table-map-values", b -> table(b).mapValues(v -> v + "!").toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-map-values-with-key", b -> table(b).mapValues((k, v) -> k + v).toStream()
            .to("out"))
            .scenario(Table::changes);
        r.dsl("table-map-values-named",
            b -> table(b).mapValues(v -> v, Named.as("same")).toStream(Named.as("stream"))
                .to("out"));
        r.dsl("table-map-values-materialized", b -> table(b)
                .mapValues(v -> (long) v.length(),
                    Table.<String, Long>store("lengths").withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.Long()))
                .toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-map-values-to-null", b -> table(b)
                .mapValues(v -> v.isEmpty() || hasAn(v) ? null : v).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-transform-values", b -> table(b).transformValues(Describe::new).toStream()
            .to("out"))
            .scenario(Table::changes);
        r.dsl("table-transform-values-materialized",
                b -> table(b).transformValues(Describe::new, store("described")).toStream()
                    .to("out"))
            .scenario(Table::changes);
        r.dsl("table-chain", b -> table(b).filter((k, v) -> !v.isEmpty()).mapValues(v -> v.length())
                .mapValues(v -> "length " + v).filterNot((k, v) -> v.endsWith("6")).toStream()
                .to("out"))
            .scenario(Table::changes);
        r.dsl("table-chain-materialized-end", b -> table(b).filter((k, v) -> !v.isEmpty())
                .mapValues(v -> v + ".", store("dots")).toStream().to("out"))
            .scenario(Table::changes);
    }

    private static void streams(Registry r) {
        r.dsl("table-to-stream-with-key", b -> table(b).toStream((k, v) -> v + "/" + k).to("out"))
            .scenario(Table::changes);
        r.dsl("to-table", b -> Text.stream(b, "in").toTable().toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("to-table-only", b -> Text.stream(b, "in").toTable());
        r.dsl("to-table-named-store", b -> Text.stream(b, "in").toTable(store("fruit"))
                .toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("to-table-named", b -> Text.stream(b, "in").toTable(Named.as("table"))
            .mapValues(v -> v).toStream().to("out"));
        r.dsl("to-table-after-map", b -> Text.stream(b, "in")
                .map((k, v) -> KeyValue.pair(v, k)).toTable().toStream().to("out"))
            .scenario(s -> s.in("in", "k", "v", 1, "h", "1").in("in", "k", null, 2)
                .in("in", null, "w", 3));
        r.dsl("to-table-after-map-named", b -> Text.stream(b, "in")
            .selectKey((k, v) -> v).toTable(Named.as("by-value"), store("values")).toStream()
            .to("out"));
    }

    private static void stores(Registry r) {
        r.dsl("table-in-memory", b -> b.table("in", Text.text(),
                Materialized.<String, String>as(Stores.inMemoryKeyValueStore("fruit"))).toStream()
                    .to("out"))
            .scenario(Table::changes);
        r.dsl("table-lru", b -> b.table("in", Text.text(),
                Materialized.<String, String>as(Stores.lruMap("fruit", 1))).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("table-no-changelog", b -> Text.stream(b, "in")
                .toTable(Table.<String, String>store("fruit").withLoggingDisabled()).toStream()
                .to("out"))
            .scenario(Table::changes);
        r.dsl("table-changelog-config", b -> Text.stream(b, "in")
            .toTable(Table.<String, String>store("fruit")
                .withLoggingEnabled(Map.of("segment.bytes", "1048576")))
            .toStream().to("out"));
        r.dsl("to-table-versioned", b -> Text.stream(b, "in").toTable(
                Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore("versions",
                    Duration.ofMillis(1000)))).toStream().to("out"))
            .scenario(s -> changes(s).in("in", "b", "late", 17).in("in", "b", "new", 5000)
                .in("in", "b", "too late", 200));
        r.dsl("table-versioned-filter", b -> b.table("in", Text.text(),
                Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore("versions",
                    Duration.ofMillis(1000)))).filter((k, v) -> hasAn(v)).toStream().to("out"))
            .scenario(Table::changes);
        r.dsl("to-table-cached", b -> Text.stream(b, "in")
                .toTable(store("fruit")).toStream().to("out"))
            .config("statestore.cache.max.bytes", 1000000)
            .scenario(Table::changes);
    }
}
