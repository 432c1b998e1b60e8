package conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;

/** All programs by name, in the order they were added. */
final class Registry {
    private final Map<String, Program> programs = new LinkedHashMap<>();
    private String family;

    /** Adds the programs of one source file. */
    void family(String name, Consumer<Registry> register) {
        family = name;
        register.accept(this);
    }

    /** Adds a program written with the DSL. */
    Program dsl(String name, Consumer<StreamsBuilder> program) {
        return add(new Program(name, family, properties -> {
            StreamsBuilder builder = new StreamsBuilder();
            program.accept(builder);
            return builder.build(properties);
        }));
    }

    /** Adds a program written with the Processor API. */
    Program papi(String name, Supplier<Topology> program) {
        return add(new Program(name, family, properties -> program.get()));
    }

    List<Program> programs() {
        return new ArrayList<>(programs.values());
    }

    private Program add(Program program) {
        if (programs.put(program.name, program) != null) {
            throw new IllegalStateException("two programs are named " + program.name);
        }
        return program;
    }
}
