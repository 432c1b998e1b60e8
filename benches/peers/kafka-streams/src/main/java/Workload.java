import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** The topologies; bench-app of the crate `benches` has the same. */
final class Workload {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Serde<String> TEXT = Serdes.String();
    private static final Serde<byte[]> BYTES = Serdes.ByteArray();
    private static final Duration WINDOW = Duration.ofSeconds(60);
    private static final Duration JOIN_DIFFERENCE = Duration.ofSeconds(5);
    private static final int IDLE_STORES = 3;
    private static final byte[] NULL = ascii("null");
    private static final byte[] PROFILE = ascii(",\"profile\":");
    private static final byte[] LEFT = ascii("{\"left\":");
    private static final byte[] RIGHT = ascii(",\"right\":");
    private static final byte CLOSE = '}';

    private Workload() { }

    static Topology topology(final String name, final String input, final String output) {
        final StreamsBuilder builder = new StreamsBuilder();
        switch (name) {
            case "stateless" -> stateless(builder, input, output);
            // Coming back is a matter of how the program is run, not of what it does.
            case "count", "restore", "recovery" -> count(builder, input, output);
            case "windowed" -> windowed(builder, input, output);
            case "join" -> join(builder, input, output);
            case "stream-join" -> streamJoin(builder, input, output);
            case "idle" -> idle(builder, input);
            default -> throw new IllegalArgumentException("unknown workload " + name);
        }
        return builder.build();
    }

    private static void count(
        final StreamsBuilder builder, final String input, final String output
    ) {
        grouped(builder, input)
            .count(counts("counts"))
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(output, Produced.with(TEXT, TEXT));
    }

    private static void windowed(
        final StreamsBuilder builder, final String input, final String output
    ) {
        grouped(builder, input)
            .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW))
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts")
                .withKeySerde(TEXT)
                .withValueSerde(Serdes.Long())
                .withCachingDisabled())
            .toStream()
            .map((key, count) ->
                KeyValue.pair(key.key() + "@" + key.window().start(), Long.toString(count)))
            .to(output, Produced.with(TEXT, TEXT));
    }

    private static void join(
        final StreamsBuilder builder, final String input, final String output
    ) {
        final KTable<String, byte[]> profiles = builder.table(
            input + "-table",
            Consumed.with(TEXT, BYTES),
            Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("profiles")
                .withCachingDisabled());
        builder.stream(input, Consumed.with(TEXT, BYTES))
            .leftJoin(profiles, Workload::withProfile, Joined.with(TEXT, BYTES, BYTES))
            .to(output, Produced.with(TEXT, BYTES));
    }

    private static void streamJoin(
        final StreamsBuilder builder, final String input, final String output
    ) {
        final KStream<String, byte[]> left = builder.stream(input, Consumed.with(TEXT, BYTES));
        final KStream<String, byte[]> right =
            builder.stream(input + "-right", Consumed.with(TEXT, BYTES));
        left.join(
            right,
            Workload::pair,
            JoinWindows.ofTimeDifferenceWithNoGrace(JOIN_DIFFERENCE),
            StreamJoined.with(TEXT, BYTES, BYTES)
        ).to(output, Produced.with(TEXT, BYTES));
    }

    private static void idle(final StreamsBuilder builder, final String input) {
        final KGroupedStream<String, byte[]> grouped = grouped(builder, input);
        for (int store = 1; store <= IDLE_STORES; store++) {
            grouped.count(counts("counts-" + store));
        }
    }

    private static KGroupedStream<String, byte[]> grouped(
        final StreamsBuilder builder, final String input
    ) {
        return builder.stream(input, Consumed.with(TEXT, BYTES))
            .groupByKey(Grouped.with(TEXT, BYTES));
    }

    private static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counts(
        final String store
    ) {
        return Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(store)
            .withKeySerde(TEXT)
            .withValueSerde(Serdes.Long())
            .withCachingDisabled();
    }

    /** The event with a field at its end; nothing is parsed, here as in bench-app. */
    private static byte[] withProfile(final byte[] event, final byte[] profile) {
        final byte[] value = profile == null ? NULL : profile;
        return ByteBuffer.allocate(event.length + PROFILE.length + value.length)
            .put(event, 0, event.length - 1).put(PROFILE).put(value).put(CLOSE).array();
    }

    private static byte[] pair(final byte[] left, final byte[] right) {
        return ByteBuffer.allocate(LEFT.length + left.length + RIGHT.length + right.length + 1)
            .put(LEFT).put(left).put(RIGHT).put(right).put(CLOSE).array();
    }

    private static byte[] ascii(final String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private record Event(String op, ObjectNode json, byte[] raw) { }

    private static void stateless(
        final StreamsBuilder builder, final String input, final String output
    ) {
        final KStream<byte[], Event> events = builder
            .stream(input, Consumed.with(BYTES, BYTES))
            .mapValues(Workload::read);
        final Produced<byte[], byte[]> produced = Produced.with(BYTES, BYTES);
        events.filter((key, event) -> event.op == null)
            .mapValues(Event::raw)
            .to(output + "-dlq", produced);
        final Map<String, KStream<byte[], Event>> branches = events
            .filter((key, event) -> event.op != null)
            .mapValues(Workload::enrich)
            .split(Named.as("op-"))
            .branch((key, event) -> event.op.equals("c"), Branched.as("create"))
            .branch((key, event) -> event.op.equals("u"), Branched.as("update"))
            .defaultBranch(Branched.as("delete"));
        branches.get("op-create").mapValues(event -> tag(event, "create"))
            .merge(branches.get("op-update").mapValues(event -> tag(event, "update")))
            .merge(branches.get("op-delete").mapValues(event -> tag(event, "delete")))
            .to(output, produced);
    }

    private static Event read(final byte[] value) {
        try {
            final ObjectNode json = (ObjectNode) JSON.readTree(value);
            return json.hasNonNull("op")
                ? new Event(json.get("op").asText(), json, value)
                : new Event(null, null, value);
        } catch (final Exception e) {
            return new Event(null, null, value);
        }
    }

    private static Event enrich(final Event event) {
        event.json.put("event_type", switch (event.op) {
            case "c" -> "created";
            case "u" -> "updated";
            default -> "deleted";
        });
        event.json.put("processed_at", 1700000000000L);
        return event;
    }

    private static byte[] tag(final Event event, final String kind) {
        try {
            return JSON.writeValueAsBytes(event.json.put("kind", kind));
        } catch (final Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
