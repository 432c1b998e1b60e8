package conformance;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;

/** Tables that every instance holds whole, and streams joined with them. */
final class GlobalTable {
    private GlobalTable() {
    }

    private static KStream<String, String> orders(StreamsBuilder b) {
        return Text.stream(b, "orders");
    }

    private static GlobalKTable<String, String> users(StreamsBuilder b) {
        return b.globalTable("users", Text.text());
    }

    /** Orders before and after their users are known, with null keys and values. */
    private static Scenario orders(Scenario s) {
        return s.in("orders", "1", "u1", 10).in("users", "u1", "Ada", 20)
            .in("orders", "2", "u1", 5, "h", "1")
            .in("users", "u1", "Bea", 30).in("orders", "3", "u1", 40).in("orders", null, "u1", 50)
            .in("orders", "4", null, 60).in("users", null, "Nobody", 70).in("users", "u1", null, 80)
            .in("orders", "5", "u1", 90).in("orders", "6", "u2", 100);
    }

    static void register(Registry r) {
        r.dsl("global-table", b -> users(b));
        r.dsl("global-table-named-store", b -> b.globalTable("users", Table.store("people")));
        r.dsl("global-table-consumed", b -> b.globalTable("users", Consumed.as("read-users")));
        r.dsl("global-table-serdes", b -> b.globalTable("users",
            Consumed.with(Serdes.Long(), Serdes.String()), Materialized.as("people")));
        r.dsl("global-join", b -> orders(b)
                .join(users(b), (k, v) -> v, (order, user) -> order + "+" + user).to("out"))
            .scenario(GlobalTable::orders);
        r.dsl("global-join-named", b -> orders(b)
            .join(users(b), (k, v) -> v, (order, user) -> order + "+" + user, Named.as("enrich"))
            .to("out"));
        r.dsl("global-join-with-key", b -> orders(b)
                .join(users(b), (k, v) -> v, (key, order, user) -> key + ":" + order + "+" + user)
                .to("out"))
            .scenario(GlobalTable::orders);
        r.dsl("global-left-join", b -> orders(b)
                .leftJoin(users(b), (k, v) -> v, (order, user) -> order + "+" + user).to("out"))
            .scenario(GlobalTable::orders);
        r.dsl("global-left-join-with-key", b -> orders(b)
                .leftJoin(users(b), (k, v) -> v, (key, order, user) -> key + ":" + order + "+"
                    + user).to("out"))
            .scenario(GlobalTable::orders);
        r.dsl("global-join-by-key", b -> orders(b)
                .join(users(b), (k, v) -> k, (order, user) -> order + "+" + user).to("out"))
            .scenario(s -> s.in("users", "u", "Ada", 1).in("orders", "u", "o1", 2)
                .in("orders", null, "o2", 3));
        r.dsl("global-two-tables", b -> {
            KStream<String, String> orders = orders(b);
            GlobalKTable<String, String> users = users(b);
            GlobalKTable<String, String> products = b.globalTable("products", Table.store("goods"));
            orders.join(users, (k, v) -> v, (o, u) -> o + u)
                .join(products, (k, v) -> k, (o, p) -> o + p).to("out");
        });
    }
}
