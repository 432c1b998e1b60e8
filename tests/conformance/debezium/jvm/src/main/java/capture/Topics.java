package capture;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads topics to their end and writes each record as one line of JSON. */
final class Topics implements AutoCloseable {
    static final String OFFSETS = "connect-offsets";
    private static final String HEARTBEAT_PREFIX = "__";
    private static final Set<String> WORKER_TOPICS = Set.of(OFFSETS, "connect-configs",
            "connect-statuses", "__consumer_offsets", "__transaction_state");

    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> consumer;

    Topics(String bootstrap) {
        admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap,
                "isolation.level", "read_committed"),
                new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** The connector's topics in alphabetical order. */
    List<String> names() throws Exception {
        Set<String> names = new TreeSet<>(admin.listTopics().names().get());
        names.removeAll(WORKER_TOPICS);
        return new ArrayList<>(names);
    }

    /** Grows while the connector still sends; heartbeats do not count, for they never end. */
    long progress() throws Exception {
        List<String> names = names();
        names.removeIf(name -> name.startsWith(HEARTBEAT_PREFIX));
        return names.stream().mapToLong(this::end).sum();
    }

    long end(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        return consumer.endOffsets(List.of(partition)).get(partition);
    }

    /** The records of a topic between two offsets. */
    List<String> read(String topic, long from, long end) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seek(partition, from);
        List<String> lines = new ArrayList<>();
        while (consumer.position(partition) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                if (record.offset() < end) {
                    lines.add(line(record));
                }
            }
        }
        return lines;
    }

    /** Deletes the connector's topics, so that a run starts with none. */
    void deleteAll() throws Exception {
        admin.deleteTopics(names()).all().get();
        Wait.until("topics to be deleted", 30, () -> names().isEmpty());
    }

    private static String line(ConsumerRecord<byte[], byte[]> record) throws Exception {
        ObjectNode node = Connect.JSON.createObjectNode();
        node.put("topic", record.topic());
        put(node, "key", record.key());
        put(node, "value", record.value());
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode entry = headers.addObject();
            entry.put("name", header.key());
            put(entry, "value", header.value());
        }
        node.put("timestamp_type", record.timestampType().name);
        return Connect.JSON.writeValueAsString(node);
    }

    /** Text where the bytes are UTF-8, else {@code {"base64": ...}}; null stays null. */
    private static void put(ObjectNode node, String field, byte[] bytes) {
        if (bytes == null) {
            node.putNull(field);
            return;
        }
        try {
            node.put(field, StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
            node.putObject(field).put("base64", Base64.getEncoder().encodeToString(bytes));
        }
    }

    @Override
    public void close() {
        consumer.close();
        admin.close();
    }
}
