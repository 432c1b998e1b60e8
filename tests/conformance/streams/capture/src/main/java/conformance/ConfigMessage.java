package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.streams.StreamsConfig;

/** What StreamsConfig says to values it cannot take, and its defaults. */
final class ConfigMessage {
    private ConfigMessage() {
    }

    static void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add(refused(Map.of("bootstrap.servers", "localhost:1")));
        lines.add(refused(Map.of("application.id", "app")));
        for (String[] setting : SETTINGS) {
            lines.add(refused(Map.of("application.id", "app", "bootstrap.servers", "localhost:1",
                setting[0], setting[1])));
        }
        lines.add(refused(Map.of("application.id", "app", "bootstrap.servers", "localhost:1",
            "processing.guarantee", "exactly_once_v2", "commit.interval.ms", "60000",
                "transaction.timeout.ms", "1000")));
        defaults(lines);
        Files.write(file, lines);
    }

    private static final String[][] SETTINGS = {
        {"num.stream.threads", "many"},
        {"num.stream.threads", "0"},
        {"num.standby.replicas", "-1"},
        {"processing.guarantee", "exactly_twice"},
        {"processing.guarantee", "exactly_once"},
        {"commit.interval.ms", "-1"},
        {"poll.ms", "soon"},
        {"max.task.idle.ms", "-2"},
        {"buffered.records.per.partition", "few"},
        {"statestore.cache.max.bytes", "-1"},
        {"state.cleanup.delay.ms", "x"},
        {"topology.optimization", "some"},
        {"topology.optimization", "all,reuse.ktable.source.topics"},
        {"topology.optimization", "merge.repartition.topics,reuse.ktable.source.topics"},
        {"application.server", "nowhere"},
        {"default.key.serde", "no.such.Serde"},
        {"deserialization.exception.handler", "no.such.Handler"},
        {"default.timestamp.extractor", "java.lang.String"},
        {"replication.factor", "x"},
        {"task.timeout.ms", "-1"},
        {"upgrade.from", "9.9"},
        {"metrics.recording.level", "LOUD"},
        {"security.protocol", "SECRET"},
        {"group.protocol", "other"},
        {"dsl.store.format", "TINY"},
        {"errors.dead.letter.queue.topic.name", ""},
        {"errors.dead.letter.queue.topic.name", "no spaces please"},
        {"probing.rebalance.interval.ms", "10"},
        {"acceptable.recovery.lag", "-1"},
        {"max.warmup.replicas", "0"},
        {"repartition.purge.interval.ms", "-1"},
        {"request.timeout.ms", "-1"},
        {"retry.backoff.ms", "-1"},
        {"client.tag.zone", ""},
        {"rack.aware.assignment.tags", "zone"},
        {"no.such.setting", "1"},
        {"consumer.auto.offset.reset", "middle"},
        {"consumer.enable.auto.commit", "true"},
    };

    private static String refused(Map<String, Object> config) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("type", "config");
        line.put("config", new TreeMap<>(config));
        try {
            new StreamsConfig(config);
            line.put("accepted", true);
        } catch (RuntimeException error) {
            line.put("class", error.getClass().getName());
            line.put("message", error.getMessage());
        }
        return Json.line(line);
    }

    private static void defaults(List<String> lines) {
        for (Map.Entry<String, ?> entry : new TreeMap<>(StreamsConfig.configDef().configKeys())
            .entrySet()) {
            var key = StreamsConfig.configDef().configKeys().get(entry.getKey());
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("type", "key");
            line.put("key", key.name);
            line.put("kind", key.type.name());
            line.put("required", !key.hasDefault());
            boolean machine = key.name.equals("state.dir");
            line.put("default", !key.hasDefault() || machine ? null
                : org.apache.kafka.common.config.ConfigDef.convertToString(key.defaultValue,
                    key.type));
            lines.add(Json.line(line));
        }
    }
}
