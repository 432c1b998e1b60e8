package conformance;

import java.util.List;
import java.util.Locale;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Printed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.StreamsBuilder;

/** Each stateless operator alone, with an automatic and with a given name. */
final class Stateless {
    private Stateless() {
    }

    static boolean hasAn(String value) {
        return value != null && value.contains("an");
    }

    /** "null" for a null value. */
    static String upper(String value) {
        return String.valueOf(value).toUpperCase(Locale.ROOT);
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return b.stream("in");
    }

    static void register(Registry r) {
        filters(r);
        maps(r);
        flatMaps(r);
        effects(r);
        chains(r);
    }

    private static void filters(Registry r) {
        r.dsl("filter", b -> in(b).filter((k, v) -> hasAn(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("filter-named", b -> in(b).filter((k, v) -> hasAn(v), Named.as("with-an")).to("out"));
        r.dsl("filter-by-key", b -> in(b).filter((k, v) -> k != null).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("filter-not", b -> in(b).filterNot((k, v) -> hasAn(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("filter-not-named", b -> in(b).filterNot((k, v) -> hasAn(v), Named.as("without-an"))
            .to("out"));
    }

    private static void maps(Registry r) {
        r.dsl("map", b -> in(b).map((k, v) -> KeyValue.pair(upper(v), String.valueOf(k))).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("map-named",
            b -> in(b).map((k, v) -> KeyValue.pair(upper(v), String.valueOf(k)), Named.as("swap"))
                .to("out"));
        r.dsl("map-to-null", b -> in(b).map((k, v) -> KeyValue.<String, String>pair(null, null))
            .to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("map-values", b -> in(b).mapValues(v -> upper(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("map-values-named", b -> in(b).mapValues(v -> upper(v), Named.as("upper")).to("out"));
        r.dsl("map-values-with-key", b -> in(b).mapValues((k, v) -> k + "=" + v).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("map-values-with-key-named",
            b -> in(b).mapValues((k, v) -> k + "=" + v, Named.as("pair")).to("out"));
        r.dsl("map-values-to-null", b -> in(b).mapValues(v -> hasAn(v) ? null : v).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("map-values-to-long", b -> in(b)
                .mapValues(v -> v == null ? null : (long) v.length())
                .to("out", Produced.with(Serdes.String(), Serdes.Long())))
            .scenario(s -> s.mixed("in"));
        r.dsl("select-key", b -> in(b).selectKey((k, v) -> v == null ? null : upper(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("select-key-named",
            b -> in(b).selectKey((k, v) -> upper(v), Named.as("by-value")).to("out"));
    }

    private static List<KeyValue<String, String>> twice(String key, String value) {
        if (value == null) {
            return List.of();
        }
        return List.of(KeyValue.pair(key, value + "-1"), KeyValue.pair(value, null),
            KeyValue.pair(null, key));
    }

    private static List<String> letters(String value) {
        return value == null ? List.of("none") : List.of(value.split(""));
    }

    private static void flatMaps(Registry r) {
        r.dsl("flat-map", b -> in(b).flatMap(Stateless::twice).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("flat-map-named", b -> in(b).flatMap(Stateless::twice, Named.as("twice")).to("out"));
        r.dsl("flat-map-values", b -> in(b).flatMapValues(v -> letters(v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("flat-map-values-named",
            b -> in(b).flatMapValues(v -> letters(v), Named.as("letters")).to("out"));
        r.dsl("flat-map-values-with-key", b -> in(b)
            .flatMapValues((k, v) -> List.of(k + "/" + v, "end")).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("flat-map-values-with-key-named",
            b -> in(b).flatMapValues((k, v) -> List.of(k + "/" + v, "end"), Named.as("paths"))
                .to("out"));
    }

    private static void effects(Registry r) {
        r.dsl("peek", b -> in(b).peek((k, v) -> Note.add("saw " + k + "=" + v)).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("peek-named", b -> in(b).peek((k, v) -> Note.add("saw"), Named.as("look")).to("out"));
        r.dsl("for-each", b -> in(b).foreach((k, v) -> Note.add("did " + k + "=" + v)))
            .scenario(s -> s.mixed("in"));
        r.dsl("for-each-named", b -> in(b).foreach((k, v) -> Note.add("did"), Named.as("act")));
        r.dsl("print", b -> in(b).print(Printed.toSysOut()))
            .scenario(s -> s.mixed("in"));
        r.dsl("print-labelled", b -> in(b)
            .print(Printed.<String, String>toSysOut().withLabel("fruit")))
            .scenario(s -> s.mixed("in"));
        r.dsl("print-mapped", b -> in(b).print(Printed.<String, String>toSysOut()
                .withLabel("fruit").withKeyValueMapper((k, v) -> k + "->" + v)))
            .scenario(s -> s.mixed("in"));
        r.dsl("print-named", b -> in(b).print(Printed.<String, String>toSysOut().withName("show")));
        r.dsl("peek-twice", b -> in(b)
                .peek((k, v) -> Note.add("first " + k))
                .peek((k, v) -> Note.add("second " + k)))
            .scenario(s -> s.in("in", "a", "x", 1).in("in", "b", "y", 2));
    }

    private static void chains(Registry r) {
        r.dsl("chain-stateless", b -> in(b)
                .filter((k, v) -> v != null)
                .mapValues(v -> v.trim())
                .filterNot((k, v) -> v.isEmpty())
                .map((k, v) -> KeyValue.pair(v.substring(0, 1), v))
                .flatMapValues(v -> List.of(v.split(" ")))
                .peek((k, v) -> Note.add(k + ":" + v))
                .selectKey((k, v) -> v)
                .mapValues((k, v) -> k + v.length())
                .to("out"))
            .scenario(s -> s.in("in", "k", " one two ", 5, "h", "1").in("in", null, "   ", 6)
                .in("in", null, null, 7).in("in", "k", "three", 4));
        r.dsl("chain-stateless-named", b -> b.<String, String>stream("in",
                    org.apache.kafka.streams.kstream.Consumed.as("lines"))
                .filter((k, v) -> v != null, Named.as("present"))
                .mapValues(v -> v.trim(), Named.as("trim"))
                .map((k, v) -> KeyValue.pair(v.substring(0, 1), v), Named.as("initial"))
                .flatMapValues(v -> List.of(v.split(" ")), Named.as("words"))
                .to("out", Produced.as("write")));
        r.dsl("chain-of-ten", b -> {
            KStream<String, String> stream = in(b);
            for (int i = 0; i < 10; i++) {
                String digit = Integer.toString(i);
                stream = stream.mapValues(v -> v + digit);
            }
            stream.to("out");
        }).scenario(s -> s.mixed("in"));
        r.dsl("chain-mixed-names", b -> in(b)
            .filter((k, v) -> v != null)
            .mapValues(v -> v.trim(), Named.as("trim"))
            .selectKey((k, v) -> v)
            .filterNot((k, v) -> v.isEmpty(), Named.as("not-empty"))
            .peek((k, v) -> Note.add(v))
            .to("out"));
    }
}
