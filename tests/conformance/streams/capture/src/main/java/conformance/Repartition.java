package conformance;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;

/** Explicit repartition topics. */
final class Repartition {
    private Repartition() {
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return b.stream("in");
    }

    static void register(Registry r) {
        r.dsl("repartition", b -> in(b).repartition().to("out")).scenario(s -> s.mixed("in"));
        r.dsl("repartition-named", b -> in(b).repartition(Repartitioned.as("by-key")).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("repartition-partitions",
            b -> in(b).repartition(Repartitioned.numberOfPartitions(6)).to("out"));
        r.dsl("repartition-named-partitions", b -> in(b)
            .repartition(Repartitioned.<String, String>as("by-key").withNumberOfPartitions(3))
            .to("out"));
        r.dsl("repartition-serdes", b -> in(b).mapValues(v -> v == null ? -1L : (long) v.length())
                .repartition(Repartitioned.with(Serdes.String(), Serdes.Long()))
                .mapValues(v -> String.valueOf(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("repartition-partitioner", b -> in(b)
                .repartition(Repartitioned.<String, String>as("placed")
                    .withStreamPartitioner(new Sink.ByLength())
                    .withNumberOfPartitions(4))
                .to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("repartition-after-select-key", b -> in(b)
                .selectKey((k, v) -> v).repartition().mapValues(v -> v + "!").to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("repartition-twice", b -> in(b)
                .selectKey((k, v) -> v, Named.as("by-value"))
                .repartition(Repartitioned.as("first"))
                .mapValues(v -> v + "1")
                .repartition(Repartitioned.as("second"))
                .mapValues(v -> v + "2")
                .to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("repartition-twice-unnamed", b -> in(b)
            .repartition().mapValues(v -> v).repartition().to("out"));
        r.dsl("repartition-two-from-one", b -> {
            KStream<String, String> keyed = in(b).selectKey((k, v) -> v);
            keyed.repartition(Repartitioned.as("one")).to("out-one");
            keyed.repartition(Repartitioned.as("two")).to("out-two");
        }).scenario(s -> s.in("in", "k", "v", 1, "h", "1"));
        r.dsl("repartition-merged", b -> in(b).merge(b.stream("other")).repartition().to("out"))
            .scenario(s -> s.in("in", "a", "1", 10).in("other", "b", "2", 5));
        r.dsl("repartition-headers", b -> in(b)
                .map((k, v) -> org.apache.kafka.streams.KeyValue.pair(v, k))
                .repartition(Repartitioned.as("swapped")).peek((k, v) -> Note.add(k + "=" + v))
                .to("out"))
            .scenario(s -> s.in("in", "k", "v", 1, "a", "1", "b", null, "a", "2"));
    }
}
