import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * The JVM's side of a hand-over: stateful operators of every kind over the topics of one test.
 * {@code Handover PREFIX SETTINGS...}, where a setting is {@code key=value}; prints {@code READY}.
 */
public final class Handover {
    private static final Produced<String, Long> COUNTS =
        Produced.with(Serdes.String(), Serdes.Long());

    public static void main(String[] arguments) throws InterruptedException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        for (int i = 1; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            settings.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        CountDownLatch ended = new CountDownLatch(1);
        Topology topology = topology(arguments[0]);
        KafkaStreams streams = new KafkaStreams(topology, settings);
        streams.setStateListener((state, old) -> {
            if (state == KafkaStreams.State.RUNNING) {
                System.out.println("READY");
            } else if (state.hasCompletedShutdown()) {
                ended.countDown();
            }
        });
        CloseOptions leaving = CloseOptions
            .groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
            .withTimeout(Duration.ofSeconds(20));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(leaving)));
        System.out.println(topology.describe());
        streams.start();
        ended.await();
    }

    private static Topology topology(String prefix) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> events = builder.stream(prefix + "events");
        KStream<String, String> clicks = builder.stream(prefix + "clicks");
        events.groupByKey().count(Materialized.as("counts"))
            .toStream().to(prefix + "counts", COUNTS);
        events.groupByKey()
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofHours(1)))
            .count(Materialized.as("per-minute"))
            .toStream((key, count) -> key.key() + "@" + key.window().start())
            .to(prefix + "minutes", COUNTS);
        events.groupByKey()
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(
                Duration.ofSeconds(30), Duration.ofHours(1)))
            .count(Materialized.as("sessions"))
            .toStream((key, count) ->
                key.key() + "@" + key.window().start() + "-" + key.window().end())
            .to(prefix + "sessions", COUNTS);
        events.groupBy((key, value) -> value.substring(0, 1))
            .reduce((one, other) -> one + "," + other, Materialized.as("by-letter"))
            .toStream().to(prefix + "letters");
        events.leftJoin(
                builder.table(prefix + "profiles", Materialized.as("profiles")),
                (event, profile) -> event + "/" + profile)
            .to(prefix + "joined");
        events.join(
                clicks,
                (event, click) -> event + "+" + click,
                JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(5), Duration.ofHours(1)),
                StreamJoined.as("pairs"))
            .to(prefix + "paired");
        return builder.build();
    }
}
