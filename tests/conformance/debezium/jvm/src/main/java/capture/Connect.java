package capture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Kafka Connect's REST interface, as far as the capture needs it. */
final class Connect {
    static final ObjectMapper JSON = new ObjectMapper();

    /** A REST answer: the status code and the body as it came. */
    record Answer(int status, String body) {
        JsonNode json() throws Exception {
            return JSON.readTree(body);
        }
    }

    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;

    Connect(String url) {
        this.url = url;
    }

    Answer send(String method, String path, String body) throws Exception {
        HttpRequest.BodyPublisher publisher = body == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(body);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .header("Content-Type", "application/json").method(method, publisher).build();
        HttpResponse<String> response =
                client.send(request, HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), response.body());
    }

    boolean ready() {
        try {
            return send("GET", "/connectors", null).status() == 200;
        } catch (Exception e) {
            return false;
        }
    }

    /** Creates a connector, trying again while Connect rebalances (409). */
    Answer create(JsonNode connector) throws Exception {
        Answer[] last = new Answer[1];
        Wait.until("Connect to take the connector", 60, () -> {
            last[0] = send("POST", "/connectors", JSON.writeValueAsString(connector));
            return last[0].status() != 409;
        });
        return last[0];
    }

    /** The state of task 0, or an empty string while there is none. */
    String taskState(String name) throws Exception {
        Answer answer = send("GET", "/connectors/" + name + "/status", null);
        if (answer.status() != 200) {
            return "";
        }
        JsonNode status = answer.json();
        if (status.at("/connector/state").asText().equals("FAILED")) {
            return "FAILED " + status.at("/connector/trace").asText();
        }
        String state = status.at("/tasks/0/state").asText("");
        return state.equals("FAILED") ? "FAILED " + status.at("/tasks/0/trace").asText() : state;
    }

    void stop(String name) throws Exception {
        retry("PUT", "/connectors/" + name + "/stop");
        Wait.until("the connector's task to stop", 60, () -> taskState(name).isEmpty());
    }

    void resume(String name) throws Exception {
        retry("PUT", "/connectors/" + name + "/resume");
    }

    /** Removes a stopped connector's source offsets. */
    void forget(String name) throws Exception {
        retry("DELETE", "/connectors/" + name + "/offsets");
    }

    void delete(String name) throws Exception {
        retry("DELETE", "/connectors/" + name);
        Wait.until("the connector to be gone", 60,
                () -> send("GET", "/connectors/" + name, null).status() == 404);
    }

    private void retry(String method, String path) throws Exception {
        Wait.until(method + " " + path, 60, () -> {
            Answer answer = send(method, path, null);
            return answer.status() < 300 || answer.status() == 404;
        });
    }
}
