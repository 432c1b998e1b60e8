package capture;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs SQL through psql, so that a script's transaction boundaries are those it writes. */
final class Postgres {
    static final String DATABASE = "mydb";
    /** A second slot at the same position, from which the raw pgoutput bytes are read. */
    static final String OBSERVER_SLOT = "capture_observer";

    private final String psql;
    private final String port;

    Postgres(String psql, String port) {
        this.psql = psql;
        this.port = port;
    }

    String port() {
        return port;
    }

    /** Drops every slot and the database, then creates it empty. Roles are left to the scripts. */
    void reset() throws Exception {
        dropSlots();
        query("postgres", "DROP DATABASE IF EXISTS " + DATABASE + " WITH (FORCE)");
        query("postgres", "DROP ROLE IF EXISTS replicator");
        query("postgres", "CREATE DATABASE " + DATABASE);
    }

    void dropSlots() throws Exception {
        query("postgres", "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                + " WHERE active_pid IS NOT NULL");
        Wait.until("slots to be inactive", 20, () -> query("postgres",
                "SELECT count(*) FROM pg_replication_slots WHERE active").equals("0"));
        query("postgres", "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    }

    void script(Path file) throws Exception {
        run(DATABASE, List.of("-f", file.toString()), StandardCharsets.UTF_8);
    }

    /** The rows of a query as unaligned text, one line a row. */
    String query(String database, String sql) throws Exception {
        return run(database, List.of("-c", sql), StandardCharsets.UTF_8).strip();
    }

    /** What psql prints, byte for byte, for statements such as COPY ... TO STDOUT. */
    String raw(String sql) throws Exception {
        return run(DATABASE, List.of("-c", sql), StandardCharsets.UTF_8);
    }

    boolean streaming() throws Exception {
        return query("postgres", "SELECT count(*) FROM pg_stat_replication"
                + " WHERE state = 'streaming'").equals("1");
    }

    String currentLsn() throws Exception {
        return query("postgres", "SELECT pg_current_wal_insert_lsn()");
    }

    boolean sentUpTo(String lsn) throws Exception {
        return query("postgres", "SELECT coalesce(bool_and(sent_lsn >= '" + lsn + "'), false)"
                + " FROM pg_stat_replication").equals("t");
    }

    private String run(String database, List<String> arguments, java.nio.charset.Charset charset)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(psql, "-h", "127.0.0.1", "-p", port,
                "-U", "postgres", "-d", database, "-X", "-q", "-A", "-t",
                "-v", "ON_ERROR_STOP=1"));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("PGTZ", "UTC");
        builder.environment().put("PGDATESTYLE", "ISO");
        builder.environment().put("PGCLIENTENCODING", "UTF8");
        builder.environment().put("PGOPTIONS", "-c client_min_messages=warning");
        builder.redirectErrorStream(true);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), charset);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IOException("psql " + arguments + ": " + output.strip());
        }
        return output;
    }
}
