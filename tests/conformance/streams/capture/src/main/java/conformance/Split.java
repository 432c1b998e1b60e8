package conformance;

import java.util.Map;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;

/** Splitting by predicates, and merging. */
final class Split {
    private Split() {
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return b.stream("in");
    }

    private static boolean starts(String value, String with) {
        return value != null && value.startsWith(with);
    }

    static void register(Registry r) {
        splits(r);
        branched(r);
        merges(r);
    }

    private static void splits(Registry r) {
        r.dsl("split-default", b -> {
            Map<String, KStream<String, String>> branches = in(b).split()
                .branch((k, v) -> starts(v, "a"))
                .branch((k, v) -> starts(v, "b"))
                .defaultBranch();
            // The map has no order of its own, so the sinks are added by name.
            new java.util.TreeMap<>(branches).forEach((name, stream) -> stream.to("out-" + name));
        }).scenario(s -> s.mixed("in"));
        r.dsl("split-no-default", b -> {
            Map<String, KStream<String, String>> branches = in(b).split()
                .branch((k, v) -> starts(v, "a"))
                .branch((k, v) -> v == null)
                .noDefaultBranch();
            new java.util.TreeMap<>(branches).forEach((name, stream) -> stream.to("out-" + name));
        }).scenario(s -> s.mixed("in"));
        r.dsl("split-named", b -> {
            Map<String, KStream<String, String>> branches = in(b).split(Named.as("fruit-"))
                .branch((k, v) -> starts(v, "a"), Branched.as("a"))
                .branch((k, v) -> starts(v, "b"), Branched.as("b"))
                .defaultBranch(Branched.as("other"));
            new java.util.TreeMap<>(branches).forEach((name, stream) -> stream.to("out-" + name));
        }).scenario(s -> s.mixed("in"));
        r.dsl("split-named-unnamed-branches", b -> {
            Map<String, KStream<String, String>> branches = in(b).split(Named.as("fruit-"))
                .branch((k, v) -> starts(v, "a"))
                .branch((k, v) -> starts(v, "b"), Branched.as("b"))
                .defaultBranch();
            new java.util.TreeMap<>(branches).forEach((name, stream) -> stream.to("out-" + name));
        }).scenario(s -> s.mixed("in"));
        r.dsl("split-first-match-wins", b -> {
            Map<String, KStream<String, String>> branches = in(b).split(Named.as("x-"))
                .branch((k, v) -> v != null, Branched.as("1"))
                .branch((k, v) -> starts(v, "a"), Branched.as("2"))
                .branch((k, v) -> true, Branched.as("3"))
                .noDefaultBranch();
            new java.util.TreeMap<>(branches).forEach((name, stream) -> stream.to("out-" + name));
        }).scenario(s -> s.mixed("in"));
        r.dsl("split-only-default", b -> in(b).split().defaultBranch()
            .values().forEach(stream -> stream.to("out"))).scenario(s -> s.mixed("in"));
        r.dsl("split-unused", b -> in(b).split().branch((k, v) -> starts(v, "a"))
            .noDefaultBranch());
    }

    private static void branched(Registry r) {
        r.dsl("split-with-consumer", b -> in(b).split()
                .branch((k, v) -> starts(v, "a"), Branched.withConsumer(s -> s.to("a")))
                .branch((k, v) -> starts(v, "b"),
                    Branched.withConsumer(s -> s.mapValues(v -> v + "!").to("b")))
                .defaultBranch(Branched.withConsumer(s -> s.to("rest"))))
            .scenario(s -> s.mixed("in"));
        r.dsl("split-with-consumer-named", b -> in(b).split(Named.as("route-"))
            .branch((k, v) -> starts(v, "a"), Branched.withConsumer(s -> s.to("a"), "a"))
            .defaultBranch(Branched.withConsumer(s -> s.to("rest"), "rest")));
        r.dsl("split-with-function", b -> in(b).split()
                .branch((k, v) -> starts(v, "a"),
                    Branched.withFunction(s -> s.mapValues(v -> "A:" + v)))
                .branch((k, v) -> starts(v, "b"),
                    Branched.withFunction(s -> s.filter((k, v) -> k != null), "b"))
                .defaultBranch()
                .entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(e -> e.getValue().to("out-" + e.getKey())))
            .scenario(s -> s.mixed("in"));
        r.dsl("split-nested", b -> in(b).split(Named.as("outer-"))
                .branch((k, v) -> v != null,
                    Branched.withConsumer(outer -> outer.split(Named.as("inner-"))
                    .branch((k, v) -> starts(v, "a"),
                        Branched.withConsumer(s -> s.to("inner-a"), "a"))
                    .defaultBranch(Branched.withConsumer(s -> s.to("inner-rest"), "rest")),
                        "present"))
                .defaultBranch(Branched.withConsumer(s -> s.to("absent"), "absent")))
            .scenario(s -> s.mixed("in"));
        r.dsl("split-then-merge", b -> {
            Map<String, KStream<String, String>> parts = in(b).split(Named.as("p-"))
                .branch((k, v) -> starts(v, "a"), Branched.as("a"))
                .defaultBranch(Branched.as("rest"));
            parts.get("p-a").mapValues(v -> v + "?").merge(parts.get("p-rest")).to("out");
        }).scenario(s -> s.mixed("in"));
    }

    private static void merges(Registry r) {
        r.dsl("merge", b -> in(b).merge(b.stream("other")).to("out"))
            .scenario(s -> s.mixed("in").mixed("other"));
        r.dsl("merge-named", b -> in(b).merge(b.stream("other"), Named.as("both")).to("out"));
        r.dsl("merge-three", b -> in(b).merge(b.stream("second")).merge(b.stream("third"))
            .to("out"))
            .scenario(s -> s.in("third", "k", "3", 1, "h", "x").in("in", "k", "1", 2)
                .in("second", null, null, 0));
        r.dsl("merge-mapped", b -> in(b).mapValues(v -> "left " + v)
                .merge(b.<String, String>stream("other").filter((k, v) -> v != null)
                    .mapValues(v -> "right " + v))
                .mapValues(v -> v + ".")
                .to("out"))
            .scenario(s -> s.mixed("in").mixed("other"));
        r.dsl("merge-with-itself", b -> {
            KStream<String, String> stream = in(b);
            stream.merge(stream).to("out");
        }).scenario(s -> s.in("in", "k", "v", 1));
        r.dsl("diamond", b -> {
            KStream<String, String> stream = in(b);
            KStream<String, String> left = stream.mapValues(v -> "left " + v);
            KStream<String, String> right = stream.filter((k, v) -> v != null)
                .mapValues(v -> "right " + v);
            left.merge(right).to("out");
        }).scenario(s -> s.mixed("in"));
        r.dsl("merge-order", b -> {
            KStream<String, String> stream = in(b);
            KStream<String, String> second = stream.mapValues(v -> v + "-second");
            KStream<String, String> first = stream.mapValues(v -> v + "-first");
            first.merge(second).to("out");
        }).scenario(s -> s.in("in", "k", "v", 1));
    }
}
