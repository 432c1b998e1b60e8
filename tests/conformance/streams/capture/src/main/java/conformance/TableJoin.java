package conformance;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.Stores;

/** Streams with tables, tables with tables, by primary and by foreign key. */
final class TableJoin {
    private TableJoin() {
    }

    private static final ValueJoiner<String, String, String> PLUS = (left, right) -> left + "+"
        + right;

    private static KStream<String, String> stream(StreamsBuilder b) {
        return Text.stream(b, "left");
    }

    private static KTable<String, String> left(StreamsBuilder b) {
        return Text.table(b, "left");
    }

    private static KTable<String, String> right(StreamsBuilder b) {
        return Text.table(b, "right");
    }

    private static KTable<String, String> versioned(StreamsBuilder b) {
        return b.table("right", Text.text(), Materialized.<String, String>as(
            Stores.persistentVersionedKeyValueStore("versions", Duration.ofMillis(100))));
    }

    /** Each side first, updates, tombstones of each side, older records, null keys and values. */
    static Scenario sides(Scenario s) {
        return s.in("left", "a", "L1", 10, "h", "left").in("right", "a", "R1", 20, "h", "right")
            .in("left", "a", "L2", 30).in("right", "a", "R2", 25).in("right", "b", "R3", 40)
            .in("left", "b", "L3", 15).in("left", null, "L4", 50).in("right", null, "R4", 60)
            .in("left", "a", null, 70).in("right", "a", "R5", 80).in("left", "a", "L5", 65)
            .in("right", "a", null, 90).in("left", "a", "L6", 100).in("right", "c", null, 110)
            .in("left", "c", null, 120).in("left", "b", null, 130).in("right", "b", null, 140);
    }

    static void register(Registry r) {
        streams(r);
        graced(r);
        tables(r);
        foreign(r);
        foreignNamed(r);
    }

    private static void streams(Registry r) {
        r.dsl("stream-table-join", b -> stream(b).join(right(b), PLUS).to("out"))
            .scenario(TableJoin::sides);
        r.dsl("stream-table-join-named", b -> stream(b).join(right(b), PLUS, Joined.as("enrich"))
            .to("out"));
        r.dsl("stream-table-join-with-key", b -> stream(b)
                .join(right(b), (k, l, t) -> k + ":" + l + "+" + t).to("out"))
            .scenario(TableJoin::sides);
        r.dsl("stream-table-left-join", b -> stream(b).leftJoin(right(b), PLUS).to("out"))
            .scenario(TableJoin::sides);
        r.dsl("stream-table-left-join-named",
            b -> stream(b).leftJoin(right(b), PLUS, Joined.as("enrich")).to("out"));
        r.dsl("stream-table-join-after-map", b -> stream(b).map((k, v) -> KeyValue.pair(v, k))
                .join(right(b), PLUS).to("out"))
            .scenario(s -> s.in("right", "x", "R", 1).in("left", "k", "x", 2, "h", "1")
                .in("left", "k", null, 3));
        r.dsl("stream-table-left-join-after-map-named", b -> stream(b).selectKey((k, v) -> v)
                .leftJoin(right(b), PLUS, Joined.as("enrich")).to("out"))
            .scenario(s -> s.in("right", "x", "R", 1).in("left", "k", "x", 2, "h", "1")
                .in("left", "k", null, 3));
        r.dsl("stream-table-join-versioned", b -> stream(b).join(versioned(b), PLUS).to("out"))
            .scenario(s -> s.in("right", "a", "R10", 10).in("right", "a", "R20", 20)
                .in("left", "a", "L5", 5)
                .in("left", "a", "L15", 15).in("left", "a", "L25", 25).in("right", "a", null, 30)
                .in("left", "a", "L35", 35).in("left", "a", "L19", 19).in("right", "a", "R200", 200)
                .in("left", "a", "L20", 20));
        r.dsl("stream-table-join-filtered-table", b -> stream(b)
                .join(right(b).filter((k, v) -> v.endsWith("1")), PLUS).to("out"))
            .scenario(TableJoin::sides);
        r.dsl("stream-table-join-self", b -> {
            KStream<String, String> in = stream(b);
            in.join(in.toTable(), PLUS).to("out");
        });
    }

    private static void graced(Registry r) {
        r.dsl("stream-table-join-grace", b -> stream(b).join(versioned(b), PLUS,
                Joined.<String, String, String>as("graced").withGracePeriod(Duration.ofMillis(10)))
                    .to("out"))
            .scenario(s -> s.in("right", "a", "R10", 10).in("left", "a", "L15", 15, "h", "1")
                .in("left", "b", "L16", 16)
                .in("right", "a", "R12", 12).in("left", "a", "L11", 11).in("left", "a", "L25", 25)
                .in("left", "a", "L14", 14).in("left", "a", "L30", 30).in("left", null, "L31", 31)
                .in("left", "a", null, 32).in("right", "a", "R29", 29).in("left", "a", "L60", 60));
        r.dsl("stream-table-left-join-grace", b -> stream(b).leftJoin(versioned(b), PLUS,
                Joined.<String, String, String>as("graced").withGracePeriod(Duration.ofMillis(10)))
                    .to("out"))
            .scenario(s -> s.in("left", "a", "L5", 5).in("right", "a", "R10", 10)
                .in("left", "a", "L15", 15)
                .in("left", "a", "L26", 26).in("left", "b", "L27", 27).in("left", "a", "L60", 60));
    }

    private static void tables(Registry r) {
        r.dsl("table-join", b -> left(b).join(right(b), PLUS).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-join-named", b -> left(b).join(right(b), PLUS, Named.as("both")).toStream()
            .to("out"));
        r.dsl("table-join-materialized", b -> left(b).join(right(b), PLUS, Table.store("joined"))
                .toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-left-join", b -> left(b).leftJoin(right(b), PLUS).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-left-join-materialized", b -> left(b)
                .leftJoin(right(b), PLUS, Named.as("both"), Table.store("joined")).toStream()
                .to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-outer-join", b -> left(b).outerJoin(right(b), PLUS).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-outer-join-materialized", b -> left(b)
            .outerJoin(right(b), PLUS, Table.store("joined"))
                .toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-join-to-null", b -> left(b)
                .join(right(b), (l, t) -> t.equals("R2") ? null : l + t).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-join-chain", b -> left(b).join(right(b), PLUS)
            .leftJoin(Text.table(b, "third"), PLUS)
                .toStream().to("out"))
            .scenario(s -> sides(s.in("third", "a", "T1", 1)));
        r.dsl("table-join-optimized", b -> left(b).join(right(b), PLUS).toStream().to("out"))
            .config("topology.optimization", "all").scenario(TableJoin::sides);
        r.dsl("table-join-filtered", b -> left(b).filter((k, v) -> !v.equals("L2"))
                .join(right(b).mapValues(v -> v + "!"), PLUS).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-self-join", b -> {
            KTable<String, String> table = left(b);
            table.join(table, PLUS).toStream().to("out");
        }).scenario(s -> s.in("left", "a", "1", 1).in("left", "a", "2", 2)
            .in("left", "a", null, 3));
        r.dsl("table-join-versioned",
            b -> b.table("left", Text.text(), Materialized.<String, String>as(
                    Stores.persistentVersionedKeyValueStore("left-versions",
                        Duration.ofMillis(100))))
                .join(versioned(b), PLUS).toStream().to("out"))
            .scenario(TableJoin::sides);
        r.dsl("table-join-aggregate", b -> stream(b).groupByKey().count()
            .join(right(b), (n, t) -> n + t)
            .toStream().to("out"));
    }

    /** Orders point at users by their value, "user/amount". */
    private static String user(String order) {
        String user = order.split("/")[0];
        return user.isEmpty() ? null : user;
    }

    private static KTable<String, String> orders(StreamsBuilder b) {
        return Text.table(b, "orders");
    }

    private static KTable<String, String> users(StreamsBuilder b) {
        return Text.table(b, "users");
    }

    private static Scenario orders(Scenario s) {
        return s.in("orders", "1", "u1/5", 10, "h", "order")
            .in("users", "u1", "Ada", 20, "h", "user")
            .in("orders", "2", "u1/7", 15).in("users", "u1", "Bea", 30)
            .in("orders", "1", "u2/5", 40)
            .in("users", "u2", "Cat", 35).in("orders", "3", "/9", 50).in("orders", "3", "u1/9", 60)
            .in("orders", "3", "/8", 70).in("users", "u1", null, 80).in("orders", "2", null, 90)
            .in("orders", null, "u1/1", 100).in("users", null, "Nobody", 110)
            .in("users", "u2", "Dan", 5)
            .in("orders", "1", "u2/6", 120).in("orders", "4", null, 130)
            .in("users", "u1", "Eve", 140);
    }

    private static void foreign(Registry r) {
        r.dsl("foreign-key-join", b -> orders(b).join(users(b), TableJoin::user, PLUS).toStream()
            .to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-left-join", b -> orders(b).leftJoin(users(b), TableJoin::user, PLUS)
                .toStream().to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-join-by-key", b -> orders(b)
                .join(users(b), (key, value) -> "u" + key, PLUS).toStream().to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-join-materialized", b -> orders(b)
                .join(users(b), TableJoin::user, PLUS, Table.store("joined")).toStream().to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-left-join-materialized", b -> orders(b)
                .leftJoin(users(b), TableJoin::user, PLUS, Table.store("joined")).toStream()
                .to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-join-optimized", b -> orders(b).join(users(b), TableJoin::user, PLUS)
            .toStream().to("out")).config("topology.optimization", "all");
    }

    private static void foreignNamed(Registry r) {
        r.dsl("foreign-key-join-named", b -> orders(b)
                .join(users(b), TableJoin::user, PLUS, TableJoined.as("owner")).toStream()
                .to("out"))
            .scenario(TableJoin::orders);
        r.dsl("foreign-key-join-named-materialized", b -> orders(b)
            .join(users(b), TableJoin::user, PLUS, TableJoined.as("owner"), Table.store("joined"))
            .toStream().to("out"));
        r.dsl("foreign-key-self-join", b -> {
            KTable<String, String> people = Text.table(b, "people");
            people.leftJoin(people, boss -> boss, (mine, other) -> mine + "<" + other).toStream()
                .to("out");
        }).scenario(s -> s.in("people", "ada", "bea", 1).in("people", "bea", "cat", 2)
            .in("people", "ada", null, 3));
        r.dsl("foreign-key-join-twice", b -> {
            KTable<String, String> users = users(b);
            KTable<String, String> once = orders(b).join(users, TableJoin::user, PLUS);
            once.leftJoin(Text.table(b, "places"), value -> value.substring(value.indexOf('+') + 1),
                PLUS)
                .toStream().to("out");
        }).scenario(s -> s.in("users", "u1", "Ada", 1).in("places", "Ada", "Berlin", 2)
            .in("orders", "1", "u1/1", 3)
            .in("users", "u1", "Bea", 4));
    }
}
