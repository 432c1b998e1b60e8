package conformance;

import java.util.List;
import java.util.regex.Pattern;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;

/** Whole shapes: how sub-topologies are cut and numbered, and in which order nodes are told. */
final class Shape {
    private Shape() {
    }

    private static KStream<String, String> stream(StreamsBuilder b, String topic) {
        return b.stream(topic);
    }

    static void register(Registry r) {
        r.dsl("two-subtopologies", b -> {
            stream(b, "in-1").mapValues(v -> v + "1").to("out-1");
            stream(b, "in-2").mapValues(v -> v + "2").to("out-2");
        }).scenario(s -> s.in("in-2", "k", "b", 1).in("in-1", "k", "a", 2));
        r.dsl("three-subtopologies-declared-mixed", b -> {
            KStream<String, String> first = stream(b, "in-1");
            KStream<String, String> second = stream(b, "in-2");
            KStream<String, String> third = stream(b, "in-3");
            third.to("out-3");
            first.filter((k, v) -> v != null).to("out-1");
            second.mapValues(v -> v).peek((k, v) -> Note.add(v)).to("out-2");
        });
        r.dsl("twelve-subtopologies", b -> {
            for (int i = 0; i < 12; i++) {
                stream(b, "in-" + i).to("out-" + i);
            }
        });
        r.dsl("sink-as-source", b -> {
            stream(b, "in").map((k, v) -> KeyValue.pair(v, k)).to("middle");
            stream(b, "middle").filter((k, v) -> k != null).to("out");
        }).scenario(s -> s.mixed("in"));
        r.dsl("several-into-one-sink", b -> {
            stream(b, "in-1").mapValues(v -> "1" + v).to("out");
            stream(b, "in-2").mapValues(v -> "2" + v).to("out");
            stream(b, "in-3").to("out");
        }).scenario(s -> s.in("in-3", "k", "c", 1).in("in-1", "k", "a", 2).in("in-2", "k", "b", 3));
        r.dsl("several-merged", b -> stream(b, "in-1").merge(stream(b, "in-2"))
            .merge(stream(b, "in-3"))
            .merge(stream(b, "in-4")).to("out"));
        r.dsl("one-source-many-sinks", b -> {
            KStream<String, String> in = stream(b, "in");
            for (int i = 0; i < 5; i++) {
                in.to("out-" + i);
            }
        });
        r.dsl("children-in-order", b -> {
            KStream<String, String> in = stream(b, "in");
            in.mapValues(v -> v + " c", Named.as("c")).to("out");
            in.mapValues(v -> v + " a", Named.as("a")).to("out");
            in.mapValues(v -> v + " b", Named.as("b")).to("out");
        }).scenario(s -> s.in("in", "k", "v", 1));
        r.dsl("deep-and-wide", b -> {
            KStream<String, String> in = stream(b, "in");
            KStream<String, String> left = in.filter((k, v) -> v != null);
            KStream<String, String> right = in.mapValues(v -> v + "?");
            left.flatMapValues(v -> List.of(v, v)).to("out-1");
            KStream<String, String> both = left.merge(right);
            both.selectKey((k, v) -> v).to("out-2");
            both.peek((k, v) -> Note.add(v)).foreach((k, v) -> Note.add("end " + v));
        }).scenario(s -> s.in("in", "k", "v", 1).in("in", "k", null, 2));
        r.dsl("repartition-chain-of-subtopologies", b -> {
            KStream<String, String> in = stream(b, "in");
            KStream<String, String> once = in.selectKey((k, v) -> v)
                .repartition(Repartitioned.as("once"));
            once.to("out-1");
            once.selectKey((k, v) -> v + "2").repartition(Repartitioned.as("again")).to("out-2");
            stream(b, "apart").to("out-3");
        }).scenario(s -> s.in("in", "k", "v", 1).in("apart", "k", "w", 2));
        r.dsl("pattern-and-several", b -> {
            b.<String, String>stream(Pattern.compile("p-.*")).merge(b.stream(List.of("x", "y")))
                .to("out");
            stream(b, "z").to("out");
        });
        r.dsl("unused-branch-of-the-graph", b -> {
            stream(b, "in-1").mapValues(v -> v).filter((k, v) -> true);
            stream(b, "in-2").to("out");
        });
        r.dsl("same-topic-two-streams", b -> {
            stream(b, "in").mapValues(v -> v + "1").to("out-1");
            stream(b, "in").mapValues(v -> v + "2").to("out-2");
        }).scenario(s -> s.in("in", "k", "v", 1));
        r.dsl("same-topic-in-two-lists", b -> {
            b.<String, String>stream(List.of("in", "other")).to("out-1");
            b.<String, String>stream(List.of("other", "in")).to("out-2");
        });
        r.dsl("merge-joins-two-sources-into-one-subtopology", b -> {
            KStream<String, String> left = stream(b, "left");
            KStream<String, String> right = stream(b, "right");
            left.mapValues(v -> v).to("left-out", Produced.as("left-sink"));
            right.mapValues(v -> v).to("right-out", Produced.as("right-sink"));
            left.merge(right, Named.as("both")).to("both-out", Produced.as("both-sink"));
        });
        r.dsl("users-pipeline", b -> {
            KStream<String, String> users = stream(b, "users")
                .peek((k, v) -> Note.add("user " + k));
            KStream<String, String> valid = users.filter((k, v) -> v != null && v.startsWith("{"));
            users.filterNot((k, v) -> v != null && v.startsWith("{")).to("users-dead-letters");
            valid.split(Named.as("op-"))
                .branch((k, v) -> v.contains("\"c\""),
                    org.apache.kafka.streams.kstream.Branched.withConsumer(
                    s -> s.mapValues(v -> "created " + v).to("user-analytics"), "created"))
                .branch((k, v) -> v.contains("\"d\""),
                    org.apache.kafka.streams.kstream.Branched.withConsumer(
                    s -> s.mapValues(v -> "deleted " + v).to("user-analytics"), "deleted"))
                .defaultBranch(org.apache.kafka.streams.kstream.Branched.withConsumer(
                    s -> s.to("user-analytics"), "other"));
        }).scenario(s -> s.in("users", "1", "{\"op\":\"c\"}", 1, "h", "1")
            .in("users", "1", "{\"op\":\"u\"}", 2)
            .in("users", "1", "{\"op\":\"d\"}", 3).in("users", "1", null, 4)
            .in("users", null, "?", 5));
    }
}
