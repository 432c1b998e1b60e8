package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Aggregations of random records over random windows: what comes out of each. A record's value is
 * its place, and an aggregate is the places of its records in their order, so that every one shows.
 */
final class WindowWalk {
    private static final int WALKS = 240;
    private static final String[] KINDS = {"hopping", "sliding", "sliding", "session"};
    private static final String[] KEYS = {"a", "b", "ab"};

    private final Random random;
    private final String kind;
    private final boolean onClose;
    /** Windows of minutes, records that leap over segments of stores. */
    private final boolean isLong;
    private long size;
    private long advance;
    private long grace;

    private WindowWalk(int number) {
        random = new Random(number);
        kind = KINDS[number % KINDS.length];
        onClose = random.nextInt(3) == 0;
        isLong = random.nextInt(3) == 0;
        size = isLong ? List.of(20_000L, 70_000L, 130_000L).get(random.nextInt(3))
            : 1 + random.nextInt(15);
        advance = size / 5 + 1 + random.nextInt((int) (size - size / 5));
        advance = Math.min(advance, size);
        grace = isLong ? List.of(0L, 10_000L, 100_000L).get(random.nextInt(3))
            : List.of(0L, 0L, 1L, 3L, 10L, 30L).get(random.nextInt(6));
    }

    static void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int number = 0; number < WALKS; number++) {
            lines.add(Json.line(new WindowWalk(number).walk()));
        }
        Files.write(file, lines);
    }

    private Map<String, Object> walk() throws IOException {
        List<Object> inputs = inputs();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "windows");
        line.put("kind", kind);
        line.put("size_ms", size);
        line.put("advance_ms", kind.equals("hopping") ? advance : null);
        line.put("grace_ms", grace);
        line.put("on_close", onClose);
        line.put("inputs", inputs);
        line.put("outputs", run(inputs));
        return line;
    }

    /** Keys and times: mostly on and on, some anywhere, some far ahead. */
    private List<Object> inputs() {
        List<Object> inputs = new ArrayList<>();
        long start = random.nextInt(3) == 0 ? 59_990 : 0;
        long time = start;
        for (int left = 2 + random.nextInt(38); left > 0; left--) {
            int what = random.nextInt(20);
            if (what < 8) {
                time = start + random.nextInt(isLong ? 600_000 : 80);
            } else if (what == 8) {
                time += isLong ? 300_000 : 100;
            } else {
                time += isLong ? random.nextInt(90_000) - 30_000 : random.nextInt(12) - 3;
                time = Math.max(0, time);
            }
            inputs.add(List.of(KEYS[random.nextInt(KEYS.length)], time));
        }
        return inputs;
    }

    private List<Object> run(List<Object> inputs) throws IOException {
        StreamsBuilder builder = new StreamsBuilder();
        KGroupedStream<String, String> grouped =
            builder.<String, String>stream("in").groupByKey();
        aggregate(grouped).toStream((window, text) -> window.toString()).to("out");
        Path state = Files.createTempDirectory("conformance-state");
        Properties properties = new Properties();
        properties.put("application.id", "walk");
        properties.put("bootstrap.servers", "nowhere:1");
        properties.put("statestore.cache.max.bytes", "0");
        properties.put("state.dir", state.toString());
        properties.put("default.key.serde", Serdes.StringSerde.class.getName());
        properties.put("default.value.serde", Serdes.StringSerde.class.getName());
        List<Object> outputs = new ArrayList<>();
        try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), properties)) {
            TestInputTopic<String, String> in =
                driver.createInputTopic("in", new StringSerializer(), new StringSerializer());
            TestOutputTopic<String, String> out =
                driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
            for (int place = 0; place < inputs.size(); place++) {
                List<?> input = (List<?>) inputs.get(place);
                in.pipeInput((String) input.get(0), place + ",", (Long) input.get(1));
            }
            for (TestRecord<String, String> record : out.readRecordsToList()) {
                List<Object> output = new ArrayList<>();
                output.add(record.key());
                output.add(record.value());
                output.add(record.timestamp());
                outputs.add(output);
            }
        }
        try (var paths = Files.walk(state)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        return outputs;
    }

    private KTable<Windowed<String>, String> aggregate(KGroupedStream<String, String> grouped) {
        EmitStrategy emit = onClose ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
        Duration length = Duration.ofMillis(size);
        Duration late = Duration.ofMillis(grace);
        Materialized<String, String, WindowStore<Bytes, byte[]>> windows = Materialized.as("texts");
        if (kind.equals("hopping")) {
            TimeWindows hopping = TimeWindows.ofSizeAndGrace(length, late)
                .advanceBy(Duration.ofMillis(advance));
            return grouped.windowedBy(hopping).emitStrategy(emit)
                .aggregate(() -> "", (key, value, all) -> all + value, windows);
        }
        if (kind.equals("sliding")) {
            return grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(length, late))
                .emitStrategy(emit).aggregate(() -> "", (key, value, all) -> all + value, windows);
        }
        Materialized<String, String, SessionStore<Bytes, byte[]>> sessions =
            Materialized.as("texts");
        return grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(length, late))
            .emitStrategy(emit).aggregate(() -> "", (key, value, all) -> all + value,
                (key, one, other) -> one + other, sessions);
    }
}
