package conformance;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.ProducedRecord;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** Drives one program and writes down, after each step, everything that came out of it. */
final class Scenario implements AutoCloseable {
    static final String STACKTRACE = "__streams.errors.stacktrace";

    private final List<String> lines = new ArrayList<>();
    private final TopologyTestDriver driver;
    private final boolean mayFail;

    Scenario(Program program, String stateDir) {
        Map<String, Object> head = fact("scenario");
        head.put("program", program.name);
        head.put("family", program.family);
        head.put("application_id", Program.APPLICATION_ID);
        head.put("wall_clock_ms", 0);
        head.put("config", program.config);
        write(head);
        var properties = program.properties();
        properties.put("state.dir", stateDir);
        mayFail = program.mayFail();
        driver = new TopologyTestDriver(program.topology(), properties, Instant.EPOCH);
        results();
    }

    List<String> lines() {
        return lines;
    }

    /** Pipes one record of text; headers are name, value, name, value… */
    Scenario in(String topic, String key, String value, long timestamp, String... headers) {
        return raw(topic, bytes(key), bytes(value), timestamp, headers);
    }

    /** Pipes one record of bytes. */
    Scenario raw(String topic, byte[] key, byte[] value, long timestamp, String... headers) {
        Headers recordHeaders = new RecordHeaders();
        for (int i = 0; i < headers.length; i += 2) {
            recordHeaders.add(headers[i], bytes(headers[i + 1]));
        }
        Map<String, Object> step = fact("input");
        step.put("topic", topic);
        step.put("key", key);
        step.put("value", value);
        step.put("timestamp", timestamp);
        step.put("headers", headers(recordHeaders));
        write(step);
        attempt(() -> driver.createInputTopic(topic, new ByteArraySerializer(),
            new ByteArraySerializer())
            .pipeInput(new TestRecord<>(key, value, recordHeaders, timestamp)));
        results();
        return this;
    }

    /** Five records: null keys and null values in every mixture, headers, an older timestamp. */
    Scenario mixed(String topic) {
        return in(topic, "a", "apple", 10, "trace", "one")
            .in(topic, null, "banana", 20)
            .in(topic, "c", null, 15, "trace", "two", "trace", "three", "empty", null)
            .in(topic, null, null, 30)
            .in(topic, "e", "", 40);
    }

    /** Moves the wall clock. */
    Scenario advance(long byMs) {
        Map<String, Object> step = fact("advance");
        step.put("by_ms", byMs);
        write(step);
        attempt(() -> driver.advanceWallClockTime(Duration.ofMillis(byMs)));
        results();
        return this;
    }

    /** Writes down the stores' contents and closes the program. */
    @Override
    public void close() {
        StoreDump.of(driver).forEach(this::write);
        write(fact("close"));
        attempt(driver::close);
        notes();
    }

    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException error) {
            if (!mayFail) {
                throw error;
            }
            Map<String, Object> line = fact("error");
            line.put("class", error.getClass().getName());
            line.put("message", error.getMessage());
            if (error.getCause() != null) {
                line.put("cause_class", error.getCause().getClass().getName());
                line.put("cause_message", error.getCause().getMessage());
            }
            write(line);
        }
    }

    private void results() {
        notes();
        for (String topic : new TreeSet<>(driver.producedTopicNames())) {
            ProducerRecord<byte[], byte[]> record;
            while ((record = ProducedRecord.next(driver, topic)) != null) {
                output(record);
            }
        }
    }

    private void notes() {
        for (String text : Note.take()) {
            Map<String, Object> line = fact("note");
            line.put("text", text);
            write(line);
        }
    }

    private void output(ProducerRecord<byte[], byte[]> record) {
        Map<String, Object> line = fact(kind(record.topic()));
        line.put("topic", record.topic());
        if (record.partition() != null) {
            line.put("partition", record.partition());
        }
        line.put("key", record.key());
        line.put("value", record.value());
        line.put("timestamp", record.timestamp());
        line.put("headers", headers(record.headers()));
        write(line);
    }

    private static String kind(String topic) {
        if (topic.endsWith("-changelog")) {
            return "changelog";
        }
        return topic.startsWith(Program.APPLICATION_ID + "-") ? "internal" : "output";
    }

    private static List<Object> headers(Headers headers) {
        List<Object> list = new ArrayList<>();
        for (Header header : headers) {
            Object value = header.key()
                .equals(STACKTRACE) ? Map.of("volatile", true) : header.value();
            List<Object> pair = new ArrayList<>();
            pair.add(header.key());
            pair.add(value);
            list.add(pair);
        }
        return list;
    }

    private static Map<String, Object> fact(String type) {
        Map<String, Object> fact = new LinkedHashMap<>();
        fact.put("type", type);
        return fact;
    }

    private void write(Map<String, Object> fact) {
        lines.add(Json.line(fact));
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}
