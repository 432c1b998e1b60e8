package conformance;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.OwnTopics;

/** Rewrites every fixture; the first argument is their folder (default: the one above). */
public final class Capture {
    private Capture() {
    }

    static Registry registry() {
        Registry registry = new Registry();
        registry.family("Stateless", Stateless::register);
        registry.family("Source", Source::register);
        registry.family("Split", Split::register);
        registry.family("Repartition", Repartition::register);
        registry.family("Sink", Sink::register);
        registry.family("Process", Process::register);
        registry.family("Punctuation", Punctuation::register);
        registry.family("Failure", Failure::register);
        registry.family("Papi", Papi::register);
        registry.family("Shape", Shape::register);
        registry.family("Table", Table::register);
        registry.family("GlobalTable", GlobalTable::register);
        registry.family("Aggregate", Aggregate::register);
        registry.family("TableAggregate", TableAggregate::register);
        registry.family("Window", Window::register);
        registry.family("TableJoin", TableJoin::register);
        registry.family("StreamJoin", StreamJoin::register);
        registry.family("Suppress", Suppress::register);
        registry.family("Optimization", Optimization::register);
        return registry;
    }

    public static void main(String[] args) throws IOException {
        Path root = Path.of(args.length > 0 ? args[0] : "..");
        PrintStream console = System.out;
        System.setOut(Note.lines());
        List<Program> programs = registry().programs();
        clear(root.resolve("describe"));
        clear(root.resolve("scenario"));
        clear(root.resolve("topics"));
        int scenarios = 0;
        for (Program program : programs) {
            String text = program.topology().describe().toString();
            Files.writeString(root.resolve("describe").resolve(program.name + ".txt"), text);
            Note.take();
            topics(root, program);
            if (program.scenario() != null) {
                scenario(root, program);
                scenarios++;
            }
        }
        Partition.write(root.resolve("partition.jsonl"));
        SerdeBytes.write(root.resolve("serde.jsonl"));
        StoreWalk.write(root.resolve("stores.jsonl"));
        WindowWalk.write(root.resolve("windows.jsonl"));
        Invalid.write(root.resolve("invalid.jsonl"));
        ConfigMessage.write(root.resolve("config.jsonl"));
        ProgramIndex.write(root.resolve("programs.md"), programs);
        console.printf("%d programs, %d scenarios%n", programs.size(), scenarios);
    }

    private static void topics(Path root, Program program) throws IOException {
        List<Map<String, Object>> topics = OwnTopics.of(program.topology(), program.properties());
        Note.take();
        Path file = root.resolve("topics").resolve(program.name + ".jsonl");
        Files.write(file, topics.stream().map(Json::line).toList());
    }

    private static void scenario(Path root, Program program) throws IOException {
        Path state = Files.createTempDirectory("conformance-state");
        Scenario scenario = new Scenario(program, state.toString());
        try (scenario) {
            program.scenario().accept(scenario);
        } catch (RuntimeException error) {
            throw new IllegalStateException("scenario " + program.name, error);
        }
        Files.write(root.resolve("scenario").resolve(program.name + ".jsonl"), scenario.lines());
        remove(state);
    }

    private static void clear(Path folder) throws IOException {
        if (Files.exists(folder)) {
            remove(folder);
        }
        Files.createDirectories(folder);
    }

    private static void remove(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
