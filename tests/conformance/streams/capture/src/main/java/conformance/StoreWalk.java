package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Random calls of stores and what each returned: a line for a store, then one for each call. */
final class StoreWalk {
    static final String STORE = "store";
    /** Some begin like others. Of ranges of such windows the JVM's stores leave some out. */
    private static final List<String> KEYS = List.of("a", "ab", "b", "a\0", "");
    private static final List<String> KEYS_OF_ONE_LENGTH = List.of("aa", "ab", "a\0", "ba");
    private static final int CALLS = 300;

    final Random random;
    private final List<String> lines;
    private final List<String> keys;

    private StoreWalk(List<String> lines, List<String> keys, int seed) {
        this.lines = lines;
        this.keys = keys;
        this.random = new Random(seed);
    }

    static void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        int seed = 0;
        long[][] settings = {{100, 10}, {100, 100}, {50, 7}, {0, 5}, {1000, 200}, {30, 90}};
        for (long[] setting : settings) {
            new StoreWalk(lines, KEYS, seed++).versioned(setting[0], setting[1]);
        }
        for (long retentionMs : new long[] {120_000, 300_000, 45_000}) {
            for (List<String> keys : List.of(KEYS, KEYS_OF_ONE_LENGTH)) {
                new StoreWalk(lines, keys, seed++).window(retentionMs, false);
                new StoreWalk(lines, keys, seed++).window(retentionMs, true);
                new StoreWalk(lines, keys, seed++).session(retentionMs);
            }
        }
        new StoreWalk(lines, KEYS, seed++).keyValue();
        Files.write(file, lines);
    }

    private void versioned(long retentionMs, long segmentMs) throws IOException {
        line("store", "kind", "versioned", "retention_ms", retentionMs, "segment_ms", segmentMs);
        var supplier = Stores.persistentVersionedKeyValueStore(
            STORE, Duration.ofMillis(retentionMs), Duration.ofMillis(segmentMs));
        var builder = Stores.versionedKeyValueStoreBuilder(
            supplier, Serdes.String(), Serdes.String());
        try (TopologyTestDriver driver = driver(builder.withLoggingDisabled())) {
            var store = driver.<String, String>getVersionedKeyValueStore(STORE);
            long now = 0;
            for (int call = 0; call < CALLS; call++) {
                now += random.nextInt(3) * random.nextInt(8);
                boolean inOrder = random.nextInt(3) == 0;
                long late = inOrder ? 0 : random.nextInt((int) retentionMs + 15);
                StoreCall.versioned(this, store, Math.max(0, now - late), call);
            }
        }
    }

    private void window(long retentionMs, boolean duplicates) throws IOException {
        line("store", "kind", "window", "retention_ms", retentionMs, "duplicates", duplicates);
        var supplier = Stores.persistentWindowStore(
            STORE, Duration.ofMillis(retentionMs), Duration.ofMillis(1000), duplicates);
        var builder = Stores.windowStoreBuilder(supplier, Serdes.String(), Serdes.String());
        try (TopologyTestDriver driver = driver(builder.withLoggingDisabled())) {
            var store = driver.<String, String>getWindowStore(STORE);
            long now = 0;
            for (int call = 0; call < CALLS; call++) {
                now += 1000L * random.nextInt(3) * random.nextInt(10);
                StoreCall.window(this, store, duplicates, now, call, retentionMs);
            }
        }
    }

    private void session(long retentionMs) throws IOException {
        line("store", "kind", "session", "retention_ms", retentionMs);
        var supplier = Stores.persistentSessionStore(STORE, Duration.ofMillis(retentionMs));
        var builder = Stores.sessionStoreBuilder(supplier, Serdes.String(), Serdes.String());
        try (TopologyTestDriver driver = driver(builder.withLoggingDisabled())) {
            var store = driver.<String, String>getSessionStore(STORE);
            long now = 0;
            for (int call = 0; call < CALLS; call++) {
                now += 1000L * random.nextInt(3) * random.nextInt(10);
                StoreCall.session(this, store, now, call, retentionMs);
            }
        }
    }

    private void keyValue() throws IOException {
        line("store", "kind", "key-value");
        var supplier = Stores.persistentKeyValueStore(STORE);
        var builder = Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.String());
        try (TopologyTestDriver driver = driver(builder.withLoggingDisabled())) {
            var store = driver.<String, String>getKeyValueStore(STORE);
            for (int call = 0; call < CALLS; call++) {
                StoreCall.keyValue(this, store, call);
            }
        }
    }

    String key() {
        return keys.get(random.nextInt(keys.size()));
    }

    boolean hasRangesOfWindows() {
        return keys == KEYS_OF_ONE_LENGTH;
    }

    /** A bound of a range, which may be none. */
    String bound() {
        return random.nextInt(4) == 0 ? null : key();
    }

    void line(String type, Object... fields) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", type);
        for (int field = 0; field < fields.length; field += 2) {
            line.put(fields[field].toString(), fields[field + 1]);
        }
        lines.add(Json.line(line));
    }

    private static TopologyTestDriver driver(StoreBuilder<?> store) throws IOException {
        Topology topology = new Topology();
        var bytes = Serdes.ByteArray().deserializer();
        topology.addSource("source", bytes, bytes, "in");
        topology.addProcessor("processor", Nothing::new, "source");
        topology.addStateStore(store, "processor");
        Properties properties = new Properties();
        Path state = Files.createTempDirectory("conformance-state");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        return new TopologyTestDriver(topology, properties);
    }

    private static final class Nothing implements Processor<byte[], byte[], Void, Void> {
        @Override
        public void process(Record<byte[], byte[]> record) {
        }
    }
}
