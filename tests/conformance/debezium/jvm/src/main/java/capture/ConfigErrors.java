package capture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * What Connect says to connector configurations that are wrong: each entry of {@code cases.json}
 * is laid over {@code connector.json} and posted. The answers go to {@code messages.txt}.
 */
final class ConfigErrors {
    private final Path folder;
    private final Postgres postgres;
    private final Connect connect;

    ConfigErrors(Path folder, Postgres postgres, Connect connect) {
        this.folder = folder;
        this.postgres = postgres;
        this.connect = connect;
    }

    void run() throws Exception {
        postgres.reset();
        postgres.script(folder.resolve("setup.sql"));
        List<String> lines = new ArrayList<>();
        JsonNode cases = Connect.JSON.readTree(Files.readString(folder.resolve("cases.json")));
        Iterator<Map.Entry<String, JsonNode>> entries = cases.fields();
        while (entries.hasNext()) {
            Map.Entry<String, JsonNode> entry = entries.next();
            ObjectNode connector = Capture.connector(folder, null, postgres.port());
            Capture.overlay((ObjectNode) connector.get("config"), entry.getValue());
            lines.add("== " + entry.getKey());
            lines.add(entry.getValue().toString());
            answer(connector, lines);
            lines.add("");
            System.out.println("config-errors: " + entry.getKey());
        }
        lines.add("== (a body that is not JSON)");
        lines.add("{\"name\": ");
        Connect.Answer malformed = connect.send("POST", "/connectors", "{\"name\": ");
        lines.add(malformed.status() + " " + message(malformed));
        Files.write(folder.resolve("messages.txt"), lines);
    }

    private void answer(ObjectNode connector, List<String> lines) throws Exception {
        String name = connector.get("name").asText();
        Connect.Answer validation = connect.send("PUT", "/connector-plugins/"
                + "io.debezium.connector.postgresql.PostgresConnector/config/validate",
                Connect.JSON.writeValueAsString(
                        ((ObjectNode) connector.get("config")).deepCopy().put("name", name)));
        if (validation.status() == 200) {
            for (JsonNode config : validation.json().get("configs")) {
                for (JsonNode error : config.at("/value/errors")) {
                    lines.add("validate " + config.at("/value/name").asText() + ": "
                            + error.asText());
                }
            }
        } else {
            lines.add("validate " + validation.status() + " " + message(validation));
        }
        Connect.Answer created = connect.create(connector);
        lines.add("create " + created.status() + " " + message(created));
        if (created.status() == 201) {
            String[] state = {""};
            long deadline = System.nanoTime() + 12_000_000_000L;
            while (System.nanoTime() < deadline && !state[0].startsWith("FAILED")
                    && !postgres.streaming()) {
                state[0] = connect.taskState(name);
                Thread.sleep(200);
            }
            lines.add("task " + (postgres.streaming() ? "streams" : causes(state[0])
                    .replaceFirst("^RUNNING$", "RUNNING, but retries and never streams")));
            connect.stop(name);
            connect.forget(name);
            connect.delete(name);
            postgres.dropSlots();
        }
    }

    private static String message(Connect.Answer answer) throws Exception {
        return answer.json().path("message").asText("").strip();
    }

    /** A stack trace without its frames: the chain of messages. */
    private static String causes(String trace) {
        return String.join("\n  ", trace.lines()
                .filter(line -> !line.startsWith("\tat ") && !line.startsWith("\t... ")).toList());
    }
}
