package conformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.kstream.internals.TimeWindow;

/** What the JVM's serdes write, and what they say to bytes they cannot read. */
final class SerdeBytes {
    private static final List<String> LINES = new ArrayList<>();

    private SerdeBytes() {
    }

    static void write(Path file) throws IOException {
        LINES.clear();
        numbers();
        texts();
        lists();
        windows();
        unreadable();
        Files.write(file, LINES);
    }

    private static <T> void add(String serde, Serde<T> with, T value) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "serde");
        line.put("serde", serde);
        line.put("value", value == null ? null : String.valueOf(value));
        line.put("bytes", with.serializer().serialize("topic", value));
        LINES.add(Json.line(line));
    }

    @SafeVarargs
    private static <T> void all(String serde, Serde<T> with, T... values) {
        for (T value : values) {
            add(serde, with, value);
        }
        add(serde, with, null);
    }

    private static void numbers() {
        all("long", Serdes.Long(), 0L, 1L, -1L, 42L, 256L, Long.MAX_VALUE, Long.MIN_VALUE);
        all("integer", Serdes.Integer(), 0, 1, -1, 42, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE);
        all("short", Serdes.Short(), (short) 0, (short) 1, (short) -1, Short.MAX_VALUE,
            Short.MIN_VALUE);
        all("double", Serdes.Double(), 0.0, -0.0, 1.5, -1.5, Math.PI, Double.MAX_VALUE,
            Double.MIN_VALUE,
            Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN);
        all("float", Serdes.Float(), 0.0f, -0.0f, 1.5f, -1.5f, (float) Math.PI, Float.MAX_VALUE,
            Float.MIN_VALUE,
            Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN);
        all("boolean", Serdes.Boolean(), true, false);
    }

    private static void texts() {
        all("string", Serdes.String(), "", "a", "text", "Zürich", "鍵", "😀", "a\u0000b");
        all("uuid", Serdes.UUID(), new UUID(0, 0),
            UUID.fromString("123e4567-e89b-12d3-a456-426614174000"));
        byte[] bytes = {0, 1, 2, (byte) 0xff};
        named("byte-array", Serdes.ByteArray(), bytes, "00 01 02 ff");
        named("bytes", Serdes.Bytes(), Bytes.wrap(bytes), "00 01 02 ff");
        ByteBuffer read = ByteBuffer.wrap(bytes);
        read.position(1);
        named("byte-buffer", Serdes.ByteBuffer(), ByteBuffer.wrap(bytes), "00 01 02 ff");
        named("byte-buffer", Serdes.ByteBuffer(), read, "00 01 02 ff at position 1");
        named("void", Serdes.Void(), null, "null");
    }

    private static <T> void named(String serde, Serde<T> with, T value, String shown) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "serde");
        line.put("serde", serde);
        line.put("value", shown);
        line.put("bytes", with.serializer().serialize("topic", value));
        LINES.add(Json.line(line));
    }

    private static void lists() {
        all("list<integer>", Serdes.ListSerde(ArrayList.class, Serdes.Integer()), List.of(),
            List.of(1, 2, 3),
            Arrays.asList(1, null, 3));
        all("list<string>", Serdes.ListSerde(ArrayList.class, Serdes.String()), List.of(),
            List.of("a", "", "ccc"),
            Arrays.asList("a", null, "b"));
        all("list<long>", Serdes.ListSerde(ArrayList.class, Serdes.Long()), List.of(7L));
        all("list<uuid>", Serdes.ListSerde(ArrayList.class, Serdes.UUID()),
            List.of(new UUID(1, 2)));
    }

    private static void windows() {
        all("time-windowed<string>", WindowedSerdes.timeWindowedSerdeFrom(String.class, 10),
            new Windowed<>("key", new TimeWindow(0, 10)),
                new Windowed<>("", new TimeWindow(1000, 1010)));
        all("session-windowed<string>", WindowedSerdes.sessionWindowedSerdeFrom(String.class),
            new Windowed<>("key", new SessionWindow(3, 8)),
                new Windowed<>("", new SessionWindow(5, 5)));
    }

    private static <T> void refused(String serde, Serde<T> with, byte[] bytes) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "read");
        line.put("serde", serde);
        line.put("bytes", bytes);
        try {
            line.put("value", String.valueOf(with.deserializer().deserialize("topic", bytes)));
        } catch (RuntimeException error) {
            line.put("class", error.getClass().getName());
            line.put("message", error.getMessage());
        }
        LINES.add(Json.line(line));
    }

    private static void unreadable() {
        refused("long", Serdes.Long(), new byte[3]);
        refused("integer", Serdes.Integer(), new byte[3]);
        refused("short", Serdes.Short(), new byte[3]);
        refused("double", Serdes.Double(), new byte[3]);
        refused("float", Serdes.Float(), new byte[3]);
        refused("boolean", Serdes.Boolean(), new byte[] {2});
        refused("boolean", Serdes.Boolean(), new byte[2]);
        refused("uuid", Serdes.UUID(), Scenario.bytes("not a uuid"));
        refused("string", Serdes.String(), new byte[] {'a', (byte) 0xff, 'b', (byte) 0xc3});
        refused("void", Serdes.Void(), new byte[1]);
        refused("long", Serdes.Long(), new byte[0]);
        refused("string", Serdes.String(), new byte[0]);
    }
}
