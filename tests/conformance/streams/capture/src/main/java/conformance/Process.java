package conformance;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** The typed processor API inside the DSL. */
final class Process {
    private Process() {
    }

    /** Appends stream time, topic and offset to the value, and adds a header. */
    static final class Stamp extends ContextualProcessor<String, String, String, String> {
        private final String header;

        Stamp(String header) {
            this.header = header;
        }

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            Note.add("init task " + context.taskId() + " app " + context.applicationId()
                + " stream-time " + context.currentStreamTimeMs());
        }

        @Override
        public void process(Record<String, String> record) {
            String place = context().recordMetadata()
                .map(m -> m.topic() + "-" + m.partition() + "@" + m.offset()).orElse("nowhere");
            record.headers().add(header, Scenario.bytes("yes"));
            context().forward(record.withValue(record.value() + " " + place
                + " t" + record.timestamp() + " stream-time " + context().currentStreamTimeMs()));
        }

        @Override
        public void close() {
            Note.add("close " + header);
        }
    }

    /** Nothing for a null value, else its length twice: under its key and a second later. */
    static final class LengthTwice extends ContextualProcessor<String, String, String, Integer> {
        @Override
        public void process(Record<String, String> record) {
            if (record.value() == null) {
                return;
            }
            Record<String, Integer> length = record.withValue(record.value().length());
            context().forward(length);
            context().forward(length.withKey("late").withTimestamp(record.timestamp() + 1000));
        }
    }

    /** Replaces the headers. */
    static final class Reheader extends ContextualFixedKeyProcessor<String, String, String> {
        @Override
        public void init(FixedKeyProcessorContext<String, String> context) {
            super.init(context);
            Note.add("init reheader");
        }

        @Override
        public void process(FixedKeyRecord<String, String> record) {
            var headers = new org.apache.kafka.common.header.internals.RecordHeaders();
            headers.add("new", Scenario.bytes(record.key() + ""));
            context().forward(record.withValue(record.value() + "~").withHeaders(headers));
        }

        @Override
        public void close() {
            Note.add("close reheader");
        }
    }

    /** Forwards to one child, to the other, and to both. */
    static final class ToChildren extends ContextualProcessor<String, String, String, String> {
        @Override
        public void process(Record<String, String> record) {
            context().forward(record.withValue("first"), "first");
            context().forward(record.withValue("second"), "second");
            context().forward(record.withValue("both"));
        }
    }

    /** Asks for a commit after each record. */
    static final class Committing extends ContextualProcessor<String, String, String, String> {
        @Override
        public void process(Record<String, String> record) {
            context().forward(record);
            context().commit();
        }
    }

    private static KStream<String, String> in(StreamsBuilder b) {
        return b.stream("in");
    }

    static void register(Registry r) {
        r.dsl("process", b -> in(b).process(() -> new Stamp("seen")).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("process-named", b -> in(b).process(() -> new Stamp("seen"), Named.as("stamp"))
            .to("out"));
        r.dsl("process-terminal", b -> in(b).process(() -> new Stamp("seen")))
            .scenario(s -> s.in("in", "k", "v", 1));
        r.dsl("process-many", b -> in(b).process(LengthTwice::new)
                .mapValues(v -> "length " + v).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("process-values", b -> in(b).processValues(Reheader::new).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("process-values-named",
            b -> in(b).processValues(Reheader::new, Named.as("reheader")).to("out"));
        r.dsl("process-chain", b -> in(b).process(() -> new Stamp("one"))
                .processValues(Reheader::new).process(() -> new Stamp("two")).to("out"))
            .scenario(s -> s.mixed("in"));
        r.dsl("process-forward-to-child", b -> {
            KStream<String, String> routed = in(b).process(ToChildren::new, Named.as("route"));
            routed.mapValues(v -> v + "@1", Named.as("first")).to("out-1");
            routed.mapValues(v -> v + "@2", Named.as("second")).to("out-2");
        }).scenario(s -> s.in("in", "k", "v", 1, "h", "1"));
        r.dsl("process-two-children-headers", b -> {
            KStream<String, String> stream = in(b);
            stream.process(() -> new Stamp("one")).to("out-1");
            stream.process(() -> new Stamp("two")).to("out-2");
            stream.to("out-3");
        }).scenario(s -> s.in("in", "k", "v", 1, "h", "1"));
        r.dsl("process-commit", b -> in(b).process(Committing::new).to("out"))
            .scenario(s -> s.in("in", "k", "v", 1).in("in", "k", "w", 2));
        r.dsl("process-stream-time", b -> in(b).process(() -> new Stamp("t")).to("out"))
            .scenario(s -> s.in("in", "k", "a", 100).in("in", "k", "b", 50).in("in", "k", "c", 150)
                .advance(10).in("in", "k", "d", 0));
    }
}
