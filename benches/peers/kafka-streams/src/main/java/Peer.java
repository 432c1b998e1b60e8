import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;

/** One workload until SIGTERM; Kafka Streams has its default settings but for the caches. */
public final class Peer {
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(15);

    private Peer() { }

    public static void main(final String[] args) {
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
        config.put(
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
            given.getOrDefault("guarantee", StreamsConfig.EXACTLY_ONCE_V2));
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, given.getOrDefault("commit-ms", "100"));
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.getOrDefault("threads", "1"));
        config.putIfAbsent(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        if (given.containsKey("state-dir")) {
            config.put(StreamsConfig.STATE_DIR_CONFIG, given.get("state-dir"));
        }
        run(new KafkaStreams(
            Workload.topology(given.get("workload"), given.get("input"), given.get("output")),
            config));
    }

    private static void run(final KafkaStreams streams) {
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("READY");
            }
        });
        streams.setUncaughtExceptionHandler(exception -> {
            exception.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse
                    .SHUTDOWN_CLIENT;
        });
        // A JVM that a signal ends reports the signal; what was asked for is 0.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            final boolean closed = streams.close(CloseOptions
                .groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                .withTimeout(CLOSE_LIMIT));
            Runtime.getRuntime().halt(closed ? 0 : 1);
        }));
        streams.start();
    }
}
