package conformance;

import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;

/** One named program: how its topology is built, its configuration, what is piped through. */
final class Program {
    static final String APPLICATION_ID = "conformance";

    final String name;
    final String family;
    final Map<String, String> config = new TreeMap<>();
    private final Function<Properties, Topology> build;
    private Consumer<Scenario> scenario;
    private boolean fails;

    Program(String name, String family, Function<Properties, Topology> build) {
        this.name = name;
        this.family = family;
        this.build = build;
    }

    /** Sets a configuration value for the build and the scenario. */
    Program config(String key, Object value) {
        config.put(key, value instanceof Class<?> type ? type.getName() : value.toString());
        return this;
    }

    /** What to pipe through the program; at most one scenario a program. */
    Program scenario(Consumer<Scenario> steps) {
        scenario = steps;
        return this;
    }

    /** The scenario is meant to end in an error; any other error stops the capture. */
    Program fails() {
        fails = true;
        return this;
    }

    boolean mayFail() {
        return fails;
    }

    Consumer<Scenario> scenario() {
        return scenario;
    }

    Topology topology() {
        return build.apply(properties());
    }

    /** String serdes by default, the record cache off, so that every update is seen. */
    Properties properties() {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "localhost:1");
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        properties.putAll(config);
        return properties;
    }
}
