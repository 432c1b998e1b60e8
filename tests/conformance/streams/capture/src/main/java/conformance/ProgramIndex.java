package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes programs.md: which program stands in which source file and has which fixtures. */
final class ProgramIndex {
    private ProgramIndex() {
    }

    static void write(Path file, List<Program> programs) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("# The captured programs");
        lines.add("");
        lines.add("Written by the capture program. A row's Java source is the `r.dsl(\"<name>\", …)` or");
        lines.add("`r.papi(\"<name>\", …)` of its file in `capture/src/main/java/conformance/`.");
        String family = "";
        for (Program program : programs) {
            if (!program.family.equals(family)) {
                family = program.family;
                lines.add("");
                lines.add("## " + family + ".java");
                lines.add("");
                lines.add("| program | scenario | configuration |");
                lines.add("| --- | --- | --- |");
            }
            String steps = program.scenario() == null ? "" : "yes";
            String config = program.config.isEmpty() ? "" : "`" + program.config + "`";
            lines.add("| " + program.name + " | " + steps + " | " + config + " |");
        }
        lines.add("");
        Files.writeString(file, String.join("\n", lines));
    }
}
