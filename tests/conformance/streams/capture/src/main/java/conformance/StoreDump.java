package conformance;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ReadOnlySessionStore;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** The content of every store a query could read, at the end of a scenario. */
final class StoreDump {
    private StoreDump() {
    }

    static List<Map<String, Object>> of(TopologyTestDriver driver) {
        List<Map<String, Object>> lines = new ArrayList<>();
        for (Map.Entry<String, StateStore> entry : new TreeMap<>(driver.getAllStateStores())
            .entrySet()) {
            Map<String, Object> line = store(entry.getKey(), entry.getValue());
            if (line != null) {
                lines.add(line);
            }
        }
        return lines;
    }

    private static Map<String, Object> store(String name, StateStore store) {
        List<Object> entries = new ArrayList<>();
        String kind;
        if (store instanceof ReadOnlyKeyValueStore<?, ?> keyValue) {
            kind = "key-value";
            try (var all = keyValue.all()) {
                all.forEachRemaining(entry -> entries.add(entry(entry.key, entry.value)));
            }
        } else if (store instanceof ReadOnlyWindowStore<?, ?> window) {
            kind = "window";
            try (var all = window.fetchAll(Instant.EPOCH, Instant.ofEpochMilli(Long.MAX_VALUE))) {
                all.forEachRemaining(entry -> entries.add(entry(entry.key, entry.value)));
            }
        } else if (store instanceof ReadOnlySessionStore<?, ?> session) {
            kind = "session";
            try (var all = session.fetch(null, null)) {
                all.forEachRemaining(entry -> entries.add(entry(entry.key, entry.value)));
            }
        } else {
            return null;
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "store");
        line.put("store", name);
        line.put("kind", kind);
        line.put("entries", entries);
        return line;
    }

    private static Map<String, Object> entry(Object key, Object value) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("key", String.valueOf(key));
        if (value instanceof ValueAndTimestamp<?> stamped) {
            entry.put("value", String.valueOf(stamped.value()));
            entry.put("timestamp", stamped.timestamp());
        } else {
            entry.put("value", String.valueOf(value));
        }
        return entry;
    }
}
