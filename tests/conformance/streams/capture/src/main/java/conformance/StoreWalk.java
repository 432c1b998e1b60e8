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
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;

/** Random calls of stores and what each returned: a line for a store, then one for each call. */
final class StoreWalk {
    private static final String STORE = "store";
    private static final List<String> KEYS = List.of("a", "ab", "b");

    private final List<String> lines;
    private final Random random;

    private StoreWalk(List<String> lines, Random random) {
        this.lines = lines;
        this.random = random;
    }

    static void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        long[][] settings = {{100, 10}, {100, 100}, {50, 7}, {0, 5}, {1000, 200}, {30, 90}};
        int seed = 0;
        for (long[] setting : settings) {
            new StoreWalk(lines, new Random(seed++)).versioned(setting[0], setting[1]);
        }
        Files.write(file, lines);
    }

    private void versioned(long retentionMs, long segmentMs) throws IOException {
        line("store", "kind", "versioned", "retention_ms", retentionMs, "segment_ms", segmentMs);
        var supplier = Stores.persistentVersionedKeyValueStore(
            STORE, Duration.ofMillis(retentionMs), Duration.ofMillis(segmentMs));
        var builder = Stores.versionedKeyValueStoreBuilder(
            supplier, Serdes.String(), Serdes.String());
        try (TopologyTestDriver driver = driver(builder.withLoggingDisabled())) {
            VersionedKeyValueStore<String, String> store = driver.getVersionedKeyValueStore(STORE);
            long now = 0;
            for (int call = 0; call < 400; call++) {
                now += random.nextInt(3) * random.nextInt(8);
                versioned(store, retentionMs, now, call);
            }
        }
    }

    private void versioned(
            VersionedKeyValueStore<String, String> store, long retentionMs, long now, int call) {
        String key = KEYS.get(random.nextInt(KEYS.size()));
        boolean inOrder = random.nextInt(3) == 0;
        long lateness = inOrder ? 0 : random.nextInt((int) retentionMs + 15);
        long timestamp = Math.max(0, now - lateness);
        switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> {
                String value = "v" + call;
                line("put", "key", key, "value", value, "timestamp", timestamp,
                    "result", store.put(key, value, timestamp));
            }
            case 4 -> line("put", "key", key, "value", null, "timestamp", timestamp,
                "result", store.put(key, null, timestamp));
            case 5 -> line("delete", "key", key, "timestamp", timestamp,
                "result", record(store.delete(key, timestamp)));
            case 6 -> line("get", "key", key, "result", record(store.get(key)));
            default -> line("get_as_of", "key", key, "timestamp", timestamp,
                "result", record(store.get(key, timestamp)));
        }
    }

    private static Object record(VersionedRecord<String> record) {
        return record == null ? null : List.of(record.value(), record.timestamp());
    }

    private void line(String type, Object... fields) {
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
