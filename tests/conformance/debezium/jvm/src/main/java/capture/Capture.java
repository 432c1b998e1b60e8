package capture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs scenarios: a folder with {@code setup.sql}, {@code connector.json} and {@code changes.sql},
 * and perhaps {@code variants/NAME.json}, each a set of settings laid over the connector's (a null
 * removes one). Arguments: the scenarios' folder, psql, the ports and addresses of the three
 * servers, then the scenarios to run (none: all).
 */
public final class Capture {
    private static final int QUIET_MS = 2_500;

    private final Path root;
    private final Postgres postgres;
    private final Topics topics;
    private final Connect connect;
    /** Whether the connector at hand goes on after its snapshot. */
    private boolean streams;

    private Capture(Path root, Postgres postgres, Topics topics, Connect connect) {
        this.root = root;
        this.postgres = postgres;
        this.topics = topics;
        this.connect = connect;
    }

    public static void main(String[] args) throws Exception {
        Postgres postgres = new Postgres(args[1], args[2]);
        Connect connect = new Connect(args[4]);
        Wait.until("Kafka Connect to start", 120, connect::ready);
        int failures = 0;
        try (Topics topics = new Topics(args[3])) {
            Capture capture = new Capture(Path.of(args[0]), postgres, topics, connect);
            List<String> wanted = args.length > 5
                    ? List.of(args).subList(5, args.length) : capture.scenarios();
            for (String name : wanted) {
                failures += capture.scenario(name);
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }

    private List<String> scenarios() throws Exception {
        try (Stream<Path> folders = Files.list(root)) {
            return folders.filter(folder -> Files.exists(folder.resolve("connector.json")))
                    .map(folder -> folder.getFileName().toString()).sorted().toList();
        }
    }

    /** Runs a scenario with all its variants, or the one variant that is named; counts failures. */
    private int scenario(String name) throws Exception {
        int slash = name.indexOf('/');
        Path folder = root.resolve(slash < 0 ? name : name.substring(0, slash));
        if (Files.exists(folder.resolve("cases.json"))) {
            new ConfigErrors(folder, postgres, connect).run();
            return 0;
        }
        List<Path> variants = new ArrayList<>();
        Path overlays = folder.resolve("variants");
        if (slash >= 0) {
            variants.add(overlays.resolve(name.substring(slash + 1) + ".json"));
        } else {
            variants.add(null);
            if (Files.isDirectory(overlays)) {
                try (Stream<Path> files = Files.list(overlays)) {
                    files.filter(file -> file.toString().endsWith(".json")).sorted()
                            .forEach(variants::add);
                }
            }
        }
        int failures = 0;
        for (Path variant : variants) {
            String label = variant == null ? name : folder.getFileName() + "/"
                    + variant.getFileName();
            long start = System.nanoTime();
            try {
                run(folder, variant);
                System.out.printf("%s: %d s%n", label, (System.nanoTime() - start) / 1_000_000_000);
            } catch (Exception e) {
                failures++;
                System.out.println(label + ": FAILED: "
                        + String.valueOf(e.getMessage()).lines()
                        .filter(line -> !line.startsWith("\tat ")).limit(6).toList());
                abandon();
            }
        }
        return failures;
    }

    private void run(Path folder, Path variant) throws Exception {
        boolean base = variant == null;
        ObjectNode connector = connector(folder, variant, postgres.port());
        String name = connector.get("name").asText();
        topics.deleteAll();
        postgres.reset();
        postgres.script(folder.resolve("setup.sql"));
        Observation observation = new Observation(postgres, connector);
        if (base) {
            observation.begin(folder);
        }
        long offsetsFrom = topics.end(Topics.OFFSETS);

        Connect.Answer answer = connect.create(connector);
        if (answer.status() != 201) {
            throw new IllegalStateException("Connect refuses it: " + answer.body());
        }
        streams = !"initial_only".equals(connector.at("/config/snapshot.mode").asText());
        awaitStreaming(name);
        awaitQuiet(name);
        apply(name, folder, "changes.sql");
        if (Files.exists(folder.resolve("restart.sql"))) {
            connect.stop(name);
            postgres.script(folder.resolve("restart.sql"));
            connect.resume(name);
            awaitStreaming(name);
            awaitQuiet(name);
            apply(name, folder, "after-restart.sql");
        }
        long offsetsTo = finish(name);
        if (base) {
            observation.end(folder);
        }

        List<String> records = new ArrayList<>();
        for (String topic : topics.names()) {
            records.addAll(topics.read(topic, 0, topics.end(topic)));
        }
        write(folder, variant, "records.jsonl", records);
        write(folder, variant, "offsets.jsonl",
                topics.read(Topics.OFFSETS, offsetsFrom, offsetsTo));
    }

    /** Removes the connector and its offsets, which would outlive it; where those ended before. */
    private long finish(String name) throws Exception {
        connect.stop(name);
        long offsetsTo = topics.end(Topics.OFFSETS);
        connect.forget(name);
        connect.delete(name);
        return offsetsTo;
    }

    /** The connector as it stands in the folder, with a variant's settings and the real address. */
    static ObjectNode connector(Path folder, Path variant, String port) throws Exception {
        ObjectNode connector = (ObjectNode) Connect.JSON.readTree(
                Files.readString(folder.resolve("connector.json")));
        ObjectNode config = (ObjectNode) connector.get("config");
        config.put("database.hostname", "127.0.0.1");
        config.put("database.port", port);
        if (variant != null) {
            overlay(config, Connect.JSON.readTree(Files.readString(variant)));
        }
        return connector;
    }

    static void overlay(ObjectNode config, JsonNode settings) {
        settings.fields().forEachRemaining(entry -> {
            if (entry.getValue().isNull()) {
                config.remove(entry.getKey());
            } else {
                config.set(entry.getKey(), entry.getValue());
            }
        });
    }

    private void apply(String name, Path folder, String script) throws Exception {
        if (Files.exists(folder.resolve(script))) {
            postgres.script(folder.resolve(script));
            awaitQuiet(name);
        }
    }

    private void awaitStreaming(String name) throws Exception {
        Wait.until("the connector to stream", 60,
                () -> running(name) && (!streams || postgres.streaming()));
    }

    private boolean running(String name) throws Exception {
        String state = connect.taskState(name);
        if (state.startsWith("FAILED")) {
            throw new IllegalStateException(state);
        }
        return state.equals("RUNNING");
    }

    /** Waits until all of the WAL was sent and no topic has grown for a while. */
    private void awaitQuiet(String name) throws Exception {
        String lsn = postgres.currentLsn();
        Wait.until("PostgreSQL to send its WAL", 60,
                () -> running(name) && (!streams || postgres.sentUpTo(lsn)));
        long[] seen = {-1, 0};
        Wait.until("the topics to stop growing", 120, () -> {
            running(name);
            long now = topics.progress();
            if (now != seen[0]) {
                seen[0] = now;
                seen[1] = System.nanoTime();
            }
            return System.nanoTime() - seen[1] > QUIET_MS * 1_000_000L;
        });
    }

    /** Clears what a failed run left behind. */
    private void abandon() throws Exception {
        for (JsonNode name : connect.send("GET", "/connectors", null).json()) {
            finish(name.asText());
        }
    }

    private static void write(Path folder, Path variant, String file, List<String> lines)
            throws Exception {
        Path target = folder.resolve(file);
        if (variant != null) {
            String name = variant.getFileName().toString().replaceFirst("\\.json$", "");
            target = variant.resolveSibling(name + "." + file);
        }
        Files.write(target, lines);
    }
}
