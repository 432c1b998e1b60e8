package conformance;

import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.TopicNameExtractor;

/** Writing to a topic: fixed, chosen per record, partitioned by the user. */
final class Sink {
    private Sink() {
    }

    /** The partition is the key's length; a null key goes to partition 0. */
    static final class ByLength implements StreamPartitioner<String, String> {
        @Override
        public Optional<Set<Integer>> partitions(String topic, String key, String value,
            int numPartitions) {
            Note.add("partitions " + topic + " " + key + " " + value + " of " + numPartitions);
            return Optional.of(Set.of(key == null ? 0 : key.length()));
        }
    }

    /** Drops null values, sends "all" to three partitions, leaves the rest to the default. */
    static final class Multicast implements StreamPartitioner<String, String> {
        @Override
        public Optional<Set<Integer>> partitions(String topic, String key, String value,
            int numPartitions) {
            if (value == null) {
                return Optional.of(Set.of());
            }
            if (value.equals("all")) {
                return Optional.of(new java.util.TreeSet<>(Set.of(0, 1, 2)));
            }
            return Optional.empty();
        }
    }

    /** A topic for each key; a lambda's text would change with each run, this one does not. */
    static final class ByKey implements TopicNameExtractor<String, String> {
        @Override
        public String extract(String key, String value, RecordContext context) {
            return "out-" + key;
        }

        @Override
        public String toString() {
            return "by-key";
        }
    }

    /** Even offsets to one topic and odd ones to another; notes what it is shown. */
    static final class ByOffset implements TopicNameExtractor<String, String> {
        @Override
        public String extract(String key, String value, RecordContext context) {
            Note.add("route " + context.topic() + "-" + context.partition() + "@" + context.offset()
                + " t" + context.timestamp() + " headers " + context.headers().toArray().length);
            return context.offset() % 2 == 0 ? "even" : "odd";
        }

        @Override
        public String toString() {
            return "by-offset";
        }
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return b.stream("in");
    }

    static void register(Registry r) {
        r.dsl("to-named", b -> in(b).to("out", Produced.as("write")));
        r.dsl("to-serdes", b -> in(b).mapValues(v -> v == null ? null : v.length())
                .to("out", Produced.with(Serdes.String(), Serdes.Integer())))
            .scenario(s -> s.mixed("in"));
        r.dsl("to-extractor", b -> in(b).to(new ByKey())).scenario(s -> s.mixed("in"));
        r.dsl("to-extractor-named", b -> in(b).to(new ByKey(), Produced.as("route")));
        r.dsl("to-extractor-context", b -> in(b).to(new ByOffset())).scenario(s -> s.mixed("in"));
        r.dsl("to-partitioner", b -> in(b)
                .to("out", Produced.<String, String>streamPartitioner(new ByLength())))
            .scenario(s -> s.mixed("in").in("in", "four", "x", 50));
        r.dsl("to-partitioner-multicast", b -> in(b)
                .to("out", Produced.<String, String>streamPartitioner(new Multicast())))
            .scenario(s -> s.in("in", "a", "all", 1, "h", "1").in("in", "b", null, 2)
                .in("in", "c", "one", 3));
        r.dsl("to-two-sinks", b -> {
            KStream<String, String> stream = in(b);
            stream.to("out-1");
            stream.to("out-2");
        }).scenario(s -> s.mixed("in"));
        r.dsl("to-same-topic-twice", b -> {
            KStream<String, String> stream = in(b);
            stream.to("out");
            stream.mapValues(v -> v + "!").to("out");
        }).scenario(s -> s.in("in", "k", "v", 1));
        r.dsl("to-then-stream", b -> {
            in(b).mapValues(v -> v + "1").to("middle");
            b.<String, String>stream("middle").mapValues(v -> v + "2").to("out");
        }).scenario(s -> s.mixed("in"));
        r.dsl("to-own-source", b -> {
            b.<String, String>stream("in").filter((k, v) -> v != null && v.length() < 3)
                .mapValues(v -> v + "+").to("in");
        }).scenario(s -> s.in("in", "k", "a", 1).in("in", "k", "abcd", 2));
        r.dsl("tombstones", b -> in(b).to("out"))
            .scenario(s -> s.in("in", "k", null, 1).in("in", null, null, 2));
    }
}
