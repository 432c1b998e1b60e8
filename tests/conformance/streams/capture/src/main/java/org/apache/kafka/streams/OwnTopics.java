package org.apache.kafka.streams;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.streams.processor.internals.InternalTopicConfig;
import org.apache.kafka.streams.processor.internals.InternalTopologyBuilder;
import org.apache.kafka.streams.processor.internals.TopologyMetadata;

/**
 * The topics of a topology with the settings they would be made with, which the library's public
 * API does not show.
 */
public final class OwnTopics {
    private static final long ADDITIONAL_RETENTION_MS = 24 * 60 * 60 * 1000L;

    private OwnTopics() {
    }

    /** One object for each sub-topology and one for each group of topics partitioned alike. */
    public static List<Map<String, Object>> of(Topology topology, Properties properties) {
        InternalTopologyBuilder builder = topology.internalTopologyBuilder;
        builder.rewriteTopology(new StreamsConfig(properties));
        // Only a topology that has been built knows its changelogs.
        builder.buildTopology();
        List<Map<String, Object>> lines = new ArrayList<>();
        builder.subtopologyToTopicsInfo().forEach((subtopology, topics) -> {
            Map<String, Object> line = fact("subtopology");
            line.put("number", number(subtopology));
            line.put("source_topics", new ArrayList<>(new TreeSet<>(topics.sourceTopics)));
            line.put("sink_topics", new ArrayList<>(new TreeSet<>(topics.sinkTopics)));
            line.put("repartition_topics", configs(topics.repartitionSourceTopics));
            line.put("changelog_topics", configs(topics.stateChangelogTopics));
            lines.add(line);
        });
        for (var group : builder.copartitionGroups()) {
            Map<String, Object> line = fact("copartitioned");
            line.put("topics", new ArrayList<>(new TreeSet<>(group)));
            lines.add(line);
        }
        return lines;
    }

    private static int number(TopologyMetadata.Subtopology subtopology) {
        try {
            var field = TopologyMetadata.Subtopology.class.getDeclaredField("nodeGroupId");
            field.setAccessible(true);
            return field.getInt(subtopology);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("the library is not the version it was written for",
                error);
        }
    }

    private static List<Object> configs(Map<String, InternalTopicConfig> topics) {
        List<Object> list = new ArrayList<>();
        new TreeMap<>(topics).forEach((name, config) -> {
            Map<String, Object> topic = new LinkedHashMap<>();
            topic.put("topic", name);
            topic.put("partitions", config.numberOfPartitions().orElse(null));
            topic.put("config", new TreeMap<>(config.properties(Map.of(),
                ADDITIONAL_RETENTION_MS)));
            list.add(topic);
        });
        return list;
    }

    private static Map<String, Object> fact(String type) {
        Map<String, Object> fact = new LinkedHashMap<>();
        fact.put("type", type);
        return fact;
    }
}
