package conformance;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** Grouped tables, which subtract before they add, and streams aggregated together. */
final class TableAggregate {
    private TableAggregate() {
    }

    /** Each person by the team they are in. */
    private static KGroupedTable<String, String> teams(StreamsBuilder b) {
        return Text.table(b, "in").groupBy((k, v) -> KeyValue.pair(v, k));
    }

    /** People join, move, stay, leave; one without a team, one older change. */
    static Scenario people(Scenario s) {
        return s.in("in", "ada", "red", 10, "h", "1").in("in", "bea", "red", 20)
            .in("in", "ada", "blue", 30)
            .in("in", "ada", "blue", 40).in("in", "bea", "blue", 25).in("in", "ada", null, 60)
            .in("in", null, "red", 70).in("in", "cat", null, 80).in("in", "bea", "red", 90);
    }

    static void register(Registry r) {
        tables(r);
        cogroups(r);
    }

    private static void tables(Registry r) {
        r.dsl("grouped-table-count", b -> teams(b).count().toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-count-named", b -> Text.table(b, "in")
                .groupBy((k, v) -> KeyValue.pair(v, k), Grouped.as("teams"))
                .count(Named.as("counter"), Table.store("members")).toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-reduce", b -> teams(b)
                .reduce((all, now) -> all + "+" + now, (all, gone) -> all + "-" + gone).toStream()
                .to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-reduce-named", b -> teams(b)
            .reduce((all, now) -> all + "+" + now, (all, gone) -> all + "-" + gone,
                Named.as("reducer"), Table.store("members")).toStream().to("out"));
        r.dsl("grouped-table-aggregate", b -> teams(b)
                .aggregate(() -> "", (k, v, all) -> all + "+" + v, (k, v, all) -> all + "-" + v)
                .toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-aggregate-sum", b -> Text.table(b, "in")
                .groupBy((k, v) -> KeyValue.pair("all", v.length()),
                    Grouped.with(Serdes.String(), Serdes.Integer()))
                .aggregate(() -> 0, (k, v, sum) -> sum + v, (k, v, sum) -> sum - v,
                    Table.<String, Integer>store("lengths").withValueSerde(Serdes.Integer()))
                .toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-to-null", b -> Text.table(b, "in")
                .groupBy((k, v) -> "red".equals(v) ? KeyValue.pair(null, k) : KeyValue.pair(v, k))
                .count(Table.store("members")).toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-same-group", b -> Text.table(b, "in")
                .groupBy((k, v) -> KeyValue.pair(k, v))
                .aggregate(() -> "", (k, v, all) -> all + "+" + v, (k, v, all) -> all + "-" + v,
                    Table.store("log"))
                .toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-after-filter", b -> Text.table(b, "in")
                .filter((k, v) -> !"blue".equals(v)).groupBy((k, v) -> KeyValue.pair(v, k))
                .count(Table.store("members")).toStream().to("out"))
            .scenario(TableAggregate::people);
        r.dsl("grouped-table-optimized", b -> teams(b).count(Table.store("members")).toStream()
            .to("out"))
            .config("topology.optimization", "all").scenario(TableAggregate::people);
        r.dsl("count-then-group-table", b -> Text.stream(b, "in").groupByKey().count()
                .groupBy((k, v) -> KeyValue.pair("total", v),
                    Grouped.with(Serdes.String(), Serdes.Long()))
                .reduce(Long::sum, (all, gone) -> all - gone, Materialized.as("total")).toStream()
                .to("out"))
            .scenario(Aggregate::records);
    }

    private static final Aggregator<String, String, String> LEFT = (k, v, all) -> all + "L" + v;
    private static final Aggregator<String, String, String> RIGHT = (k, v, all) -> all + "R" + v;

    private static CogroupedKStream<String, String> both(StreamsBuilder b) {
        KStream<String, String> left = Text.stream(b, "left");
        KStream<String, String> right = Text.stream(b, "right");
        return left.groupByKey().cogroup(LEFT).cogroup(right.groupByKey(), RIGHT);
    }

    private static Scenario sides(Scenario s) {
        return s.in("left", "a", "1", 10, "h", "1").in("right", "a", "2", 5)
            .in("right", "b", "3", 20)
            .in("left", null, "4", 30).in("right", "a", null, 40).in("left", "a", "5", 50);
    }

    private static void cogroups(Registry r) {
        r.dsl("cogroup-one", b -> Text.stream(b, "left").groupByKey().cogroup(LEFT)
                .aggregate(() -> "").toStream().to("out"))
            .scenario(s -> s.in("left", "a", "1", 10).in("left", "a", "2", 20));
        r.dsl("cogroup", b -> both(b).aggregate(() -> "").toStream().to("out"))
            .scenario(TableAggregate::sides);
        r.dsl("cogroup-named", b -> both(b)
            .aggregate(() -> "", Named.as("together"), Table.store("texts"))
                .toStream().to("out"))
            .scenario(TableAggregate::sides);
        r.dsl("cogroup-repartitioned", b -> {
            KStream<String, String> left = Text.stream(b, "left");
            KStream<String, String> right = Text.stream(b, "right");
            left.groupBy((k, v) -> v).cogroup(LEFT)
                .cogroup(right.groupBy((k, v) -> v, Grouped.as("right-side")), RIGHT)
                .aggregate(() -> "", Table.store("texts")).toStream().to("out");
        }).scenario(TableAggregate::sides);
        r.dsl("cogroup-three", b -> {
            KStream<String, String> third = Text.stream(b, "third");
            both(b).cogroup(third.groupByKey(), (k, v, all) -> all + "T" + v)
                .aggregate(() -> "", Table.store("texts")).toStream().to("out");
        });
        // A cogrouped table has lost its key serde, so the windowed one is given.
        r.dsl("cogroup-windowed", b -> both(b)
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Window.ms(10)))
                .aggregate(() -> "", Window.windows("texts"))
                .toStream().to("out", timeKeys()))
            .scenario(TableAggregate::sides);
        r.dsl("cogroup-sliding", b -> both(b)
            .windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(Window.ms(10)))
                .aggregate(() -> "", Window.windows("texts")).toStream().to("out", timeKeys()))
            .scenario(TableAggregate::sides);
        r.dsl("cogroup-session", b -> both(b)
            .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Window.ms(10)))
                .aggregate(() -> "", (k, one, two) -> one + "|" + two, Window.sessions("texts"))
                .toStream().to("out", Produced.with(
                    WindowedSerdes.sessionWindowedSerdeFrom(String.class), Serdes.String())))
            .scenario(TableAggregate::sides);
    }

    private static Produced<Windowed<String>, String> timeKeys() {
        return Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 10),
            Serdes.String());
    }
}
