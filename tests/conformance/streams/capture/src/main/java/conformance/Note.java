package conformance;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What a program says of its own steps: a peek, a punctuation, a partitioner call. */
final class Note {
    private static final List<String> NOTES = new ArrayList<>();

    private Note() {
    }

    static void add(String text) {
        NOTES.add(text);
    }

    /** The notes since the last call, in order. */
    static List<String> take() {
        List<String> taken = List.copyOf(NOTES);
        NOTES.clear();
        return taken;
    }

    /** A standard output whose lines become notes; print(Printed.toSysOut()) is captured by it. */
    static PrintStream lines() {
        return new PrintStream(new OutputStream() {
            private final StringBuilder line = new StringBuilder();

            @Override
            public void write(int b) {
                if (b == '\n') {
                    add(line.toString());
                    line.setLength(0);
                } else {
                    line.append((char) b);
                }
            }
        }, true, StandardCharsets.UTF_8);
    }
}
