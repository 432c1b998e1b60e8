package capture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What PostgreSQL itself gave for the same changes: the catalog and the rows before the snapshot,
 * and afterwards the pgoutput messages, so that an encoder can be tested without a database.
 */
final class Observation {
    private static final String CATALOG = """
            SELECT json_build_object(
              'schema', n.nspname, 'table', c.relname, 'oid', c.oid::int8,
              'replica_identity', c.relreplident,
              'columns', (SELECT json_agg(json_build_object(
                  'name', a.attname, 'type_oid', a.atttypid::int8,
                  'type_modifier', a.atttypmod,
                  'type_name', format_type(a.atttypid, NULL),
                  'nullable', NOT a.attnotnull, 'generated', a.attgenerated <> '',
                  'default_expression', CASE WHEN a.attgenerated = '' THEN
                      (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                       WHERE d.adrelid = c.oid AND d.adnum = a.attnum) END)
                  ORDER BY a.attnum)
                FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
              'indexes', (SELECT coalesce(json_agg(json_build_object(
                  'name', ic.relname, 'primary', i.indisprimary,
                  'replica_identity', i.indisreplident,
                  'columns', (SELECT json_agg(a.attname ORDER BY k.ord)
                              FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, ord)
                              JOIN pg_attribute a
                                ON a.attrelid = c.oid AND a.attnum = k.num))
                  ORDER BY ic.relname), '[]')
                FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                WHERE i.indrelid = c.oid AND i.indisunique))
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'
              AND n.nspname <> 'information_schema'
            ORDER BY n.nspname, c.relname
            """;

    private final Postgres postgres;
    private final JsonNode config;
    private boolean observing;

    Observation(Postgres postgres, ObjectNode connector) {
        this.postgres = postgres;
        this.config = connector.get("config");
    }

    void begin(Path folder) throws Exception {
        List<String> tables = postgres.raw(CATALOG).lines().toList();
        Files.write(folder.resolve("catalog.jsonl"), tables);
        List<String> rows = new ArrayList<>();
        for (String line : tables) {
            JsonNode table = Connect.JSON.readTree(line);
            String schema = table.get("schema").asText();
            String name = table.get("table").asText();
            for (String row : postgres.raw("COPY (SELECT * FROM \"" + schema + "\".\"" + name
                    + "\") TO STDOUT").lines().toList()) {
                ObjectNode node = Connect.JSON.createObjectNode();
                rows.add(Connect.JSON.writeValueAsString(
                        node.put("schema", schema).put("table", name).put("row", row)));
            }
        }
        Files.write(folder.resolve("rows.jsonl"), rows);
        observing = config.hasNonNull("publication.name");
        if (observing) {
            postgres.raw("SELECT pg_create_logical_replication_slot('" + Postgres.OBSERVER_SLOT
                    + "', 'pgoutput')");
        }
    }

    void end(Path folder) throws Exception {
        if (!observing) {
            return;
        }
        String publication = config.get("publication.name").asText();
        String messages = postgres.raw("SELECT json_build_object('lsn', lsn - '0/0'::pg_lsn,"
                + " 'xid', xid::text::int8, 'message', encode(data, 'hex'))"
                + " FROM pg_logical_slot_get_binary_changes('" + Postgres.OBSERVER_SLOT
                + "', NULL, NULL, 'proto_version', '1', 'publication_names', '" + publication
                + "', 'messages', 'true')");
        Files.write(folder.resolve("pgoutput.jsonl"), messages.lines().toList());
    }
}
