import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;

/** One workload until SIGTERM, with Kafka Streams' default settings. */
public final class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Event(String op, ObjectNode json, byte[] raw) { }

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

    private static Topology stateless(final String input, final String output) {
        final StreamsBuilder builder = new StreamsBuilder();
        final KStream<byte[], Event> events = builder
            .stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
            .mapValues(Peer::read);
        final Produced<byte[], byte[]> produced =
            Produced.with(Serdes.ByteArray(), Serdes.ByteArray());
        events.filter((key, event) -> event.op == null)
            .mapValues(Event::raw)
            .to(output + "-dlq", produced);
        final Map<String, KStream<byte[], Event>> branches = events
            .filter((key, event) -> event.op != null)
            .mapValues(Peer::enrich)
            .split(Named.as("op-"))
            .branch((key, event) -> event.op.equals("c"), Branched.as("create"))
            .branch((key, event) -> event.op.equals("u"), Branched.as("update"))
            .defaultBranch(Branched.as("delete"));
        branches.get("op-create").mapValues(event -> tag(event, "create"))
            .merge(branches.get("op-update").mapValues(event -> tag(event, "update")))
            .merge(branches.get("op-delete").mapValues(event -> tag(event, "delete")))
            .to(output, produced);
        return builder.build();
    }

    public static void main(final String[] args) throws Exception {
        final Map<String, String> given = new HashMap<>();
        final Properties config = new Properties();
        for (int i = 0; i + 1 < args.length; i += 2) {
            if (args[i].equals("--conf")) {
                final String[] setting = args[i + 1].split("=", 2);
                config.put(setting[0], setting[1]);
            } else {
                given.put(args[i].substring(2), args[i + 1]);
            }
        }
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("application-id"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("bootstrap"));
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, given.getOrDefault("guarantee", "exactly_once_v2"));
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, given.getOrDefault("commit-ms", "100"));
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.getOrDefault("threads", "1"));
        if (given.containsKey("state-dir")) {
            config.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state-dir"));
        }
        if (!given.get("workload").equals("stateless")) {
            throw new IllegalArgumentException("unknown workload " + given.get("workload"));
        }
        final Topology topology = stateless(given.get("input"), given.get("output"));
        final KafkaStreams streams = new KafkaStreams(topology, config);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("READY");
            }
        });
        final CountDownLatch stop = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            stop.countDown();
        }));
        streams.start();
        stop.await();
    }
}
