package conformance;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/** One random call of a store, with what it returned. */
final class StoreCall {
    private StoreCall() {
    }

    static void versioned(
            StoreWalk walk, VersionedKeyValueStore<String, String> store, long time, int call) {
        String key = walk.key();
        switch (walk.random.nextInt(10)) {
            case 0, 1, 2, 3 -> {
                String value = "v" + call;
                walk.line("put", "key", key, "value", value, "timestamp", time,
                    "result", store.put(key, value, time));
            }
            case 4 -> walk.line("put", "key", key, "value", null, "timestamp", time,
                "result", store.put(key, null, time));
            case 5 -> walk.line("delete", "key", key, "timestamp", time,
                "result", record(store.delete(key, time)));
            case 6 -> walk.line("get", "key", key, "result", record(store.get(key)));
            default -> walk.line("get_as_of", "key", key, "timestamp", time,
                "result", record(store.get(key, time)));
        }
    }

    static void window(
            StoreWalk walk, WindowStore<String, String> store, boolean duplicates, long now,
            int call, long retention) {
        String key = walk.key();
        long start = late(walk, now, retention);
        long end = start + 1000L * walk.random.nextInt(60);
        int kind = walk.random.nextInt(walk.hasRangesOfWindows() ? 14 : 12);
        // Of duplicates the JVM's stores return one, or none, by chance.
        switch (kind == 6 && duplicates ? 7 : kind) {
            case 0, 1, 2, 3, 4 -> {
                String value = "v" + call;
                store.put(key, value, start);
                walk.line("put", "key", key, "value", value, "start", start);
            }
            case 5 -> {
                store.put(key, null, start);
                walk.line("put", "key", key, "value", null, "start", start);
            }
            case 6 -> walk.line("fetch", "key", key, "start", start,
                "result", store.fetch(key, start));
            case 7, 8 -> walk.line("fetch_range", "key", key, "from", start, "to", end,
                "result", list(store.fetch(key, start, end)));
            case 9 -> walk.line("backward_fetch_range", "key", key, "from", start, "to", end,
                "result", list(store.backwardFetch(key, start, end)));
            case 10 -> walk.line("fetch_all", "from", start, "to", end,
                "result", list(store.fetchAll(start, end)));
            case 11 -> walk.line("all", "result", list(store.all()));
            case 12 -> {
                String lower = walk.bound();
                String upper = walk.bound();
                walk.line("fetch_keys", "lower", lower, "upper", upper, "from", start, "to", end,
                    "result", list(store.fetch(lower, upper, start, end)));
            }
            default -> {
                String lower = walk.bound();
                String upper = walk.bound();
                walk.line("backward_fetch_keys", "lower", lower, "upper", upper, "from", start,
                    "to", end, "result", list(store.backwardFetch(lower, upper, start, end)));
            }
        }
    }

    static void session(
            StoreWalk walk, SessionStore<String, String> store, long now, int call,
            long retention) {
        String key = walk.key();
        long end = late(walk, now, retention);
        long start = Math.max(0, end - 1000L * walk.random.nextInt(20));
        switch (walk.random.nextInt(walk.hasRangesOfWindows() ? 13 : 11)) {
            case 0, 1, 2, 3, 4 -> {
                String value = "v" + call;
                store.put(new Windowed<>(key, new SessionWindow(start, end)), value);
                walk.line("put", "key", key, "start", start, "end", end, "value", value);
            }
            case 5 -> {
                store.remove(new Windowed<>(key, new SessionWindow(start, end)));
                walk.line("put", "key", key, "start", start, "end", end, "value", null);
            }
            case 6 -> walk.line("fetch", "key", key, "result", list(store.fetch(key)));
            case 7 -> walk.line("fetch_session", "key", key, "start", start, "end", end,
                "result", store.fetchSession(key, start, end));
            case 8, 9 -> walk.line("find_sessions", "key", key, "earliest_end", start,
                "latest_start", end, "result", list(store.findSessions(key, start, end)));
            case 10 -> walk.line("backward_find_sessions", "key", key, "earliest_end", start,
                "latest_start", end, "result", list(store.backwardFindSessions(key, start, end)));
            default -> {
                String lower = walk.bound();
                String upper = walk.bound();
                walk.line("fetch_keys", "lower", lower, "upper", upper,
                    "result", list(store.fetch(lower, upper)));
            }
        }
    }

    static void keyValue(StoreWalk walk, KeyValueStore<String, String> store, int call) {
        String key = walk.key();
        switch (walk.random.nextInt(12)) {
            case 0, 1, 2, 3 -> {
                store.put(key, "v" + call);
                walk.line("put", "key", key, "value", "v" + call);
            }
            case 4 -> {
                store.put(key, null);
                walk.line("put", "key", key, "value", null);
            }
            case 5 -> walk.line("delete", "key", key, "result", store.delete(key));
            case 6 -> walk.line("put_if_absent", "key", key, "value", "v" + call,
                "result", store.putIfAbsent(key, "v" + call));
            case 7, 8 -> walk.line("get", "key", key, "result", store.get(key));
            case 9 -> {
                String lower = walk.bound();
                String upper = walk.bound();
                walk.line("range", "lower", lower, "upper", upper,
                    "result", list(store.range(lower, upper)));
            }
            case 10 -> {
                String lower = walk.bound();
                String upper = walk.bound();
                walk.line("reverse_range", "lower", lower, "upper", upper,
                    "result", list(store.reverseRange(lower, upper)));
            }
            default -> walk.line("prefix_scan", "prefix", key,
                "result", list(store.prefixScan(key, new StringSerializer())));
        }
    }

    private static long late(StoreWalk walk, long now, long retention) {
        boolean inOrder = walk.random.nextInt(3) == 0;
        long late = inOrder ? 0 : 1000L * walk.random.nextInt((int) retention / 1000 + 15);
        return Math.max(0, now - late);
    }

    private static Object record(VersionedRecord<String> record) {
        return record == null ? null : List.of(record.value(), record.timestamp());
    }

    private static List<Object> list(KeyValueIterator<?, String> found) {
        List<Object> list = new ArrayList<>();
        try (found) {
            while (found.hasNext()) {
                KeyValue<?, String> entry = found.next();
                list.add(List.of(key(entry.key), entry.value));
            }
        }
        return list;
    }

    private static Object key(Object key) {
        return key instanceof Windowed<?> windowed
            ? List.of(windowed.key(), windowed.window().start(), windowed.window().end())
            : key;
    }
}
