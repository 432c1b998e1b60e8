package conformance;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;

/** count, reduce and aggregate on grouped streams. */
final class Aggregate {
    private Aggregate() {
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return Text.stream(b, "in");
    }

    private static KGroupedStream<String, String> grouped(StreamsBuilder b) {
        return in(b).groupByKey();
    }

    /** Two keys, older records, null keys and null values. */
    static Scenario records(Scenario s) {
        return s.in("in", "a", "1", 10, "trace", "one").in("in", "b", "2", 30)
            .in("in", "a", "3", 20)
            .in("in", "a", "4", 5).in("in", null, "5", 40).in("in", "a", null, 50)
            .in("in", "b", "6", 60)
            .in("in", "", "7", 70);
    }

    static void register(Registry r) {
        counts(r);
        reductions(r);
        grouping(r);
        caching(r);
    }

    private static void counts(Registry r) {
        r.dsl("count", b -> grouped(b).count().toStream().to("out")).scenario(Aggregate::records);
        r.dsl("count-named-store", b -> grouped(b).count(Table.store("counts")).toStream()
            .to("out"))
            .scenario(Aggregate::records);
        r.dsl("count-named", b -> grouped(b).count(Named.as("counter")).toStream().to("out"));
        r.dsl("count-named-both",
            b -> grouped(b).count(Named.as("counter"), Table.store("counts")).toStream().to("out"));
        r.dsl("count-only", b -> grouped(b).count());
        r.dsl("count-exactly-once", b -> grouped(b).count(Table.store("counts")).toStream()
            .to("out"))
            .config("processing.guarantee", "exactly_once_v2").scenario(Aggregate::records);
        r.dsl("count-no-changelog", b -> grouped(b)
                .count(Table.<String, Long>store("counts").withLoggingDisabled()).toStream()
                .to("out"))
            .scenario(Aggregate::records);
        r.dsl("count-filtered", b -> grouped(b).count(Table.store("counts"))
                .filter((k, v) -> v % 2 == 0).toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("count-in-memory", b -> grouped(b).count(
                Table.<String, Long>store("counts").withStoreType(Materialized.StoreType.IN_MEMORY))
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("count-store-headers", b -> grouped(b).count(Table.store("counts")).toStream()
            .to("out"))
            .config("dsl.store.format", "HEADERS").scenario(Aggregate::records);
    }

    private static void reductions(Registry r) {
        r.dsl("reduce", b -> grouped(b).reduce((old, now) -> old + "," + now).toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("reduce-named", b -> grouped(b)
                .reduce((old, now) -> old + "," + now, Named.as("joiner"), Table.store("joined"))
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("reduce-to-null", b -> grouped(b)
                .reduce((old, now) -> old.length() > 2 ? null : old + now, Table.store("short"))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 1).in("in", "a", "2", 2).in("in", "a", "3", 3)
                .in("in", "a", "4", 4).in("in", "a", "5", 5));
        r.dsl("aggregate", b -> grouped(b)
                .aggregate(() -> 0L, (k, v, sum) -> sum + Long.parseLong(v),
                    Materialized.with(Serdes.String(), Serdes.Long()))
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("aggregate-named", b -> grouped(b)
                .aggregate(() -> "", (k, v, text) -> text + k + v, Named.as("collect"),
                    Table.store("texts"))
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("aggregate-to-null", b -> grouped(b)
                .aggregate(() -> "start", (k, v, text) -> v.equals("drop") ? null
                    : text + v, Table.store("texts"))
                .toStream().to("out"))
            .scenario(s -> s.in("in", "a", "1", 1).in("in", "a", "drop", 2).in("in", "a", "drop", 3)
                .in("in", "a", "2", 4));
    }

    private static void grouping(Registry r) {
        r.dsl("group-by", b -> in(b).groupBy((k, v) -> v).count().toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("group-by-named", b -> in(b).groupBy((k, v) -> v, Grouped.as("by-value")).count()
                .toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("group-by-named-store", b -> in(b).groupBy((k, v) -> v).count(Table.store("counts"))
            .toStream().to("out"));
        r.dsl("group-by-null", b -> in(b)
            .groupBy((k, v) -> v == null || v.equals("3") ? null : "all")
                .count(Table.store("counts")).toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("group-by-key-after-map", b -> in(b).map((k, v) -> KeyValue.pair(v, k)).groupByKey()
                .count().toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("group-by-key-after-select-key-and-filter", b -> in(b).selectKey((k, v) -> v)
            .filter((k, v) -> v != null).groupByKey(Grouped.as("chosen")).count().toStream()
            .to("out"));
        r.dsl("group-by-key-after-repartition", b -> in(b).selectKey((k, v) -> v).repartition()
            .groupByKey().count().toStream().to("out"));
        r.dsl("group-by-key-after-process", b -> in(b).process(() -> new Process.Stamp("h"))
            .groupByKey().count().toStream().to("out"));
        r.dsl("group-by-key-after-process-values", b -> in(b).processValues(Process.Reheader::new)
            .groupByKey().count().toStream().to("out"));
        r.dsl("group-by-serdes", b -> in(b)
                .groupBy((k, v) -> v == null ? 0
                    : v.length(), Grouped.with(Serdes.Integer(), Serdes.String()))
                .count().toStream().to("out"))
            .scenario(Aggregate::records);
        r.dsl("group-by-twice", b -> {
            KStream<String, String> stream = in(b);
            stream.groupBy((k, v) -> v).count(Table.store("by-value")).toStream().to("out-1");
            stream.groupBy((k, v) -> k + v).count(Table.store("by-both")).toStream().to("out-2");
        });
        r.dsl("word-count", b -> in(b)
                .flatMapValues(v -> java.util.List.of(v.toLowerCase(java.util.Locale.ROOT)
                    .split("\\W+")))
                .groupBy((k, v) -> v).count(Table.store("word-counts")).toStream().to("out"))
            .scenario(s -> s.in("in", null, "to be or not to be", 1, "h", "1")
                .in("in", "k", "Or not", 2));
    }

    private static void caching(Registry r) {
        r.dsl("count-cached", b -> grouped(b).count(Table.store("counts")).toStream().to("out"))
            .config("statestore.cache.max.bytes", 1000000).scenario(Aggregate::records);
        r.dsl("count-caching-disabled", b -> grouped(b)
                .count(Table.<String, Long>store("counts").withCachingDisabled()).toStream()
                .to("out"))
            .config("statestore.cache.max.bytes", 1000000).scenario(Aggregate::records);
        r.dsl("count-of-count", b -> grouped(b).count(Table.store("counts")).toStream()
                .map((k, v) -> KeyValue.pair(String.valueOf(v), k)).groupByKey()
                .count(Table.store("histogram"))
                .toStream().to("out"))
            .scenario(Aggregate::records);
    }
}
