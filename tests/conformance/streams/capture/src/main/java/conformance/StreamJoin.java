package conformance;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.Stores;

/** Streams joined with streams within a time. */
final class StreamJoin {
    private StreamJoin() {
    }

    private static final ValueJoiner<String, String, String> PLUS = (left, right) -> left + "+"
        + right;

    private static KStream<String, String> left(StreamsBuilder b) {
        return Text.stream(b, "left");
    }

    private static KStream<String, String> right(StreamsBuilder b) {
        return Text.stream(b, "right");
    }

    private static JoinWindows within(long ms) {
        return JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMillis(ms));
    }

    private static JoinWindows graced(long ms, long grace) {
        return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(ms),
            Duration.ofMillis(grace));
    }

    private static StreamJoined<String, String, String> joined(String name) {
        var text = org.apache.kafka.common.serialization.Serdes.String();
        return StreamJoined.with(text, text, text).withName(name);
    }

    private static StreamJoined<String, String, String> stores(String name) {
        return joined(name).withStoreName(name + "-store");
    }

    /** Matches at both edges of 10 ms, duplicates, late and too late ones, null keys and values. */
    static Scenario meetings(Scenario s) {
        return s.in("left", "a", "L0", 0, "h", "left").in("right", "a", "R10", 10, "h", "right")
            .in("right", "a", "R11", 11).in("left", "a", "L11", 11).in("left", "a", "L11b", 11)
            .in("right", "b", "R12", 12).in("left", "b", "L3", 3).in("left", "b", "L2", 2)
            .in("left", null, "Lnull", 13).in("right", null, "Rnull", 14).in("left", "a", null, 15)
            .in("right", "a", null, 15).in("left", "c", "L16", 16).in("right", "a", "R21", 21)
            .in("left", "d", "L40", 40).in("right", "c", "R26", 26).in("right", "d", "R30", 30)
            .in("right", "e", "R51", 51).in("left", "e", "L29", 29).in("left", "f", "L100", 100)
            .in("right", "f", "R200", 200).in("left", "g", "L201", 201);
    }

    static void register(Registry r) {
        inner(r);
        outer(r);
        self(r);
        shapes(r);
    }

    private static void inner(Registry r) {
        r.dsl("stream-join", b -> left(b).join(right(b), PLUS, within(10)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-grace", b -> left(b).join(right(b), PLUS, graced(10, 20)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-named", b -> left(b).join(right(b), PLUS, within(10), joined("meet"))
            .to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-named-stores",
            b -> left(b).join(right(b), PLUS, within(10), stores("meet")).to("out"));
        r.dsl("stream-join-with-key", b -> left(b)
                .join(right(b), (k, l, o) -> k + ":" + l + "+" + o, within(10)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-right-after-left", b -> left(b).join(right(b), PLUS,
                within(0).after(Duration.ofMillis(10))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-right-before-left", b -> left(b).join(right(b), PLUS,
                within(0).before(Duration.ofMillis(10))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-shifted", b -> left(b).join(right(b), PLUS,
                within(20).before(Duration.ofMillis(-5)).after(Duration.ofMillis(15))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-in-memory", b -> left(b).join(right(b), PLUS, within(10),
                stores("meet")
                    .withThisStoreSupplier(Stores.inMemoryWindowStore("this", Duration.ofMillis(20),
                        Duration.ofMillis(20), true))
                    .withOtherStoreSupplier(Stores.inMemoryWindowStore("other",
                        Duration.ofMillis(20),
                        Duration.ofMillis(20), true))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-join-no-changelog", b -> left(b).join(right(b), PLUS, within(10),
                stores("meet").withLoggingDisabled()).to("out"))
            .scenario(StreamJoin::meetings);
    }

    private static void outer(Registry r) {
        r.dsl("stream-left-join", b -> left(b).leftJoin(right(b), PLUS, within(10)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-left-join-grace", b -> left(b).leftJoin(right(b), PLUS, graced(10, 20))
            .to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-left-join-named", b -> left(b)
            .leftJoin(right(b), PLUS, within(10), joined("meet")).to("out"));
        r.dsl("stream-left-join-named-stores", b -> left(b)
                .leftJoin(right(b), PLUS, within(10), stores("meet")).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-left-join-asymmetric", b -> left(b).leftJoin(right(b), PLUS,
                within(5).after(Duration.ofMillis(15))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-outer-join", b -> left(b).outerJoin(right(b), PLUS, within(10)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-outer-join-grace", b -> left(b).outerJoin(right(b), PLUS, graced(10, 20))
            .to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-outer-join-named", b -> left(b)
            .outerJoin(right(b), PLUS, within(10), stores("meet")).to("out"));
        r.dsl("stream-outer-join-with-key", b -> left(b)
                .outerJoin(right(b), (k, l, o) -> k + ":" + l + "+" + o, graced(10, 5)).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-outer-join-asymmetric", b -> left(b).outerJoin(right(b), PLUS,
                within(15).before(Duration.ofMillis(2))).to("out"))
            .scenario(StreamJoin::meetings);
        r.dsl("stream-outer-join-in-memory", b -> left(b).outerJoin(right(b), PLUS, within(10),
                stores("meet").withDslStoreSuppliers(
                    new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers()))
                .to("out"))
            .scenario(StreamJoin::meetings);
    }

    private static void selfJoin(StreamsBuilder b) {
        KStream<String, String> in = left(b);
        in.join(in, PLUS, within(10)).to("out");
    }

    private static Scenario alone(Scenario s) {
        return s.in("left", "a", "1", 0, "h", "1").in("left", "a", "2", 5).in("left", "a", "3", 15)
            .in("left", "b", "4", 15).in("left", "a", "5", 8).in("left", null, "6", 20)
            .in("left", "a", null, 20)
            .in("left", "a", "7", 100).in("left", "a", "8", 89).in("left", "a", "9", 90);
    }

    private static void self(Registry r) {
        r.dsl("stream-self-join", StreamJoin::selfJoin).scenario(StreamJoin::alone);
        r.dsl("stream-self-join-optimized", StreamJoin::selfJoin)
            .config("topology.optimization", "single.store.self.join").scenario(StreamJoin::alone);
        r.dsl("stream-self-join-two-sources-optimized", b -> Text.stream(b, "left")
            .join(Text.stream(b, "left"), PLUS, within(10)).to("out"))
            .config("topology.optimization", "all");
    }

    private static void shapes(Registry r) {
        r.dsl("stream-join-after-map", b -> left(b).map((k, v) -> KeyValue.pair(v, k))
                .join(right(b), PLUS, within(10)).to("out"))
            .scenario(s -> s.in("left", "k", "a", 1, "h", "1").in("right", "a", "R", 5)
                .in("left", "k", null, 6));
        r.dsl("stream-join-both-after-map-named", b -> left(b).selectKey((k, v) -> v)
                .join(right(b).selectKey((k, v) -> v), PLUS, within(10), stores("meet")).to("out"))
            .scenario(s -> s.in("left", "k", "x", 1).in("right", "a", "x", 5));
        r.dsl("stream-join-three", b -> left(b).join(right(b), PLUS, within(10))
                .leftJoin(Text.stream(b, "third"), PLUS, within(20)).to("out"))
            .scenario(s -> s.in("left", "a", "L", 1).in("third", "a", "T", 3)
                .in("right", "a", "R", 5)
                .in("left", "b", "L", 100));
        r.dsl("stream-join-one-repartition-two-joins", b -> {
            KStream<String, String> keyed = left(b).selectKey((k, v) -> v);
            keyed.join(right(b), PLUS, within(10)).to("out-1");
            keyed.leftJoin(right(b), PLUS, within(10)).to("out-2");
        });
    }
}
