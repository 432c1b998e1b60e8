package conformance;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DefaultProductionExceptionHandler;
import org.apache.kafka.streams.errors.DeserializationExceptionHandler;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailExceptionHandler;
import org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** What the handlers do with records that cannot be read, processed or written. */
final class Failure {
    private static final String DEAD_LETTERS =
        StreamsConfig.ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME_CONFIG;
    private static final String ON_READ =
        StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG;
    private static final String ON_PROCESS =
        StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG;
    private static final String ON_WRITE =
        StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG;

    private Failure() {
    }

    private static void note(String where, ErrorHandlerContext c, Exception error) {
        Note.add(where + " " + c.topic() + "-" + c.partition() + "@" + c.offset() + " t"
            + c.timestamp()
            + " node " + c.processorNodeId() + " task " + c.taskId() + " headers " + c.headers()
                .toArray().length
            + " key " + text(c.sourceRawKey()) + " value " + text(c.sourceRawValue())
            + " error " + error.getClass().getName() + ": " + error.getMessage());
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : Json.line(bytes);
    }

    /** Notes what it is told and goes on, with a letter of its own. */
    public static final class NotingReader implements DeserializationExceptionHandler {
        @Override
        public Response handleError(ErrorHandlerContext context,
                org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> record,
                    Exception exception) {
            note("read", context, exception);
            return Response.resume(List.of(new ProducerRecord<>("own-letters", record.key(),
                record.value())));
        }

        @Override
        public void configure(Map<String, ?> configs) {
        }
    }

    /** Notes what it is told and goes on. */
    public static final class NotingProcessor implements ProcessingExceptionHandler {
        @Override
        public Response handleError(ErrorHandlerContext context, Record<?, ?> record,
            Exception exception) {
            note("process", context, exception);
            Note.add("record " + (record == null ? null
                : record.key() + "=" + record.value() + " t" + record.timestamp()));
            return Response.resume();
        }

        @Override
        public void configure(Map<String, ?> configs) {
        }
    }

    /** Notes what it is told and drops the record. */
    public static final class NotingWriter implements ProductionExceptionHandler {
        @Override
        @SuppressWarnings("rawtypes")
        public Response handleSerializationError(ErrorHandlerContext context, ProducerRecord record,
                Exception exception, SerializationExceptionOrigin origin) {
            note("write " + origin + " to " + record.topic(), context, exception);
            return Response.resume();
        }

        @Override
        public void configure(Map<String, ?> configs) {
        }
    }

    /** Refuses the text "unwritable". */
    static Serde<String> picky() {
        Serializer<String> serializer = (topic, data) -> {
            if ("unwritable".equals(data)) {
                throw new SerializationException("cannot write it");
            }
            return new StringSerializer().serialize(topic, data);
        };
        return Serdes.serdeFrom(serializer, Serdes.String().deserializer());
    }

    static String fussy(String value) {
        if ("bad".equals(value)) {
            throw new IllegalArgumentException("a bad value");
        }
        return value + " ok";
    }

    static void register(Registry r) {
        reading(r);
        processing(r);
        punctuating(r);
        writing(r);
    }

    private static void longs(StreamsBuilder b) {
        b.stream("in", Consumed.with(Serdes.String(), Serdes.Long()))
            .mapValues(v -> "number " + v).to("out");
    }

    private static Scenario unreadable(Scenario s) {
        return s.raw("in", Scenario.bytes("a"), new byte[] {0, 0, 0, 0, 0, 0, 0, 7}, 10)
            .raw("in", Scenario.bytes("b"), new byte[] {1, 2, 3}, 20, "trace", "one", "trace",
                "two", "none", null)
            .raw("in", null, Scenario.bytes("text"), 15)
            .raw("in", Scenario.bytes("c"), null, 30)
            .raw("in", Scenario.bytes("d"), new byte[] {0, 0, 0, 0, 0, 0, 0, 8}, 40);
    }

    private static void reading(Registry r) {
        r.dsl("read-fail", Failure::longs).config(ON_READ, LogAndFailExceptionHandler.class)
            .scenario(s -> s.raw("in", Scenario.bytes("b"), new byte[] {1, 2, 3}, 20)).fails();
        r.dsl("read-fail-dead-letter", Failure::longs)
            .config(ON_READ, LogAndFailExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.raw("in", Scenario.bytes("b"), new byte[] {1, 2, 3}, 20)).fails();
        r.dsl("read-continue", Failure::longs).config(ON_READ, LogAndContinueExceptionHandler.class)
            .scenario(Failure::unreadable);
        r.dsl("read-continue-dead-letter", Failure::longs)
            .config(ON_READ, LogAndContinueExceptionHandler.class)
            .config(DEAD_LETTERS, "letters").scenario(Failure::unreadable);
        r.dsl("read-own-handler", Failure::longs).config(ON_READ, NotingReader.class)
            .scenario(Failure::unreadable);
        r.dsl("read-key-dead-letter",
            b -> b.stream("in", Consumed.with(Serdes.Integer(), Serdes.String()))
                .mapValues(v -> v + "!")
                .to("out", Produced.with(Serdes.Integer(), Serdes.String())))
            .config(ON_READ, LogAndContinueExceptionHandler.class).config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "four", "v", 1).in("in", "five5", "v", 2)
                .in("in", null, "v", 3));
        r.dsl("read-continue-stream-time",
            b -> b.stream("in", Consumed.with(Serdes.String(), Serdes.Long()))
                .mapValues(v -> "n" + v).process(() -> new Process.Stamp("h")).to("out"))
            .config(ON_READ, LogAndContinueExceptionHandler.class)
            .scenario(s -> s.raw("in", null, new byte[8], 10).raw("in", null, new byte[1], 90)
                .raw("in", null, new byte[8], 20));
        r.dsl("read-own-headers-dead-letter", Failure::longs)
            .config(ON_READ, LogAndContinueExceptionHandler.class).config(DEAD_LETTERS, "letters")
            .scenario(s -> s.raw("in", null, new byte[] {9}, 5, "__streams.errors.topic",
                "earlier"));
        r.dsl("timestamp-fail-dead-letter", b -> b.stream("in",
                Consumed.<String, String>with(new Source.FromValue())).to("out"))
            .config(ON_READ, LogAndContinueExceptionHandler.class).config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "k", "none", 2));
    }

    private static void fussyMap(StreamsBuilder b) {
        b.<String, String>stream("in").peek((k, v) -> Note.add("before " + v))
            .mapValues(v -> fussy(v), Named.as("fussy")).to("out");
    }

    private static Scenario bad(Scenario s) {
        return s.in("in", "a", "good", 10).in("in", "b", "bad", 20, "trace", "one")
            .in("in", null, "bad", 5).in("in", "c", "good", 30);
    }

    private static void processing(Registry r) {
        r.dsl("process-default", Failure::fussyMap)
            .scenario(s -> s.in("in", "b", "bad", 20, "trace", "one")).fails();
        r.dsl("process-fail", Failure::fussyMap)
            .config(ON_PROCESS, LogAndFailProcessingExceptionHandler.class)
            .scenario(s -> s.in("in", "b", "bad", 20)).fails();
        r.dsl("process-fail-dead-letter", Failure::fussyMap)
            .config(ON_PROCESS, LogAndFailProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "b", "bad", 20)).fails();
        r.dsl("process-continue", Failure::fussyMap)
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .scenario(Failure::bad);
        r.dsl("process-continue-dead-letter", Failure::fussyMap)
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(Failure::bad);
        r.dsl("process-own-handler", Failure::fussyMap).config(ON_PROCESS, NotingProcessor.class)
            .scenario(Failure::bad);
        r.dsl("process-continue-one-branch", b -> {
            KStream<String, String> stream = b.stream("in");
            stream.mapValues(v -> v + " first").to("out-1");
            stream.mapValues(v -> fussy(v)).to("out-2");
            stream.mapValues(v -> v + " third").to("out-3");
        }).config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(Failure::bad);
        r.dsl("process-continue-flat-map", b -> b.<String, String>stream("in")
                .flatMapValues(v -> List.of("x", v, "y")).mapValues(v -> fussy(v)).to("out"))
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(Failure::bad);
        r.dsl("process-changed-record-dead-letter", b -> b.<String, String>stream("in")
                .map((k, v) -> org.apache.kafka.streams.KeyValue.pair(v, "bad"))
                .mapValues(v -> fussy(v)).to("out"))
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "k", "v", 1, "h", "1"));
        r.dsl("process-after-repartition-dead-letter", b -> b.<String, String>stream("in")
                .repartition().mapValues(v -> fussy(v)).to("out"))
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "k", "good", 1).in("in", "k", "bad", 2, "h", "1"));
        r.dsl("process-null-message-dead-letter", b -> b.<String, String>stream("in")
                .mapValues(v -> {
                    if (v == null) {
                        throw new IllegalStateException();
                    }
                    return v;
                }).to("out"))
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "k", null, 2));
    }

    /** Fails at each second punctuation. */
    private static final class Ticking extends ContextualProcessor<String, String, String, String> {
        private int fired;

        @Override
        public void init(ProcessorContext<String, String> context) {
            super.init(context);
            context.schedule(Duration.ofMillis(10), PunctuationType.WALL_CLOCK_TIME, t -> {
                fired++;
                Note.add("fire " + t);
                context.forward(new Record<>("tick", "" + fired, t));
                if (fired % 2 == 0) {
                    throw new IllegalStateException("tick " + fired);
                }
            });
        }

        @Override
        public void process(Record<String, String> record) {
            context().forward(record);
        }
    }

    private static void punctuating(Registry r) {
        r.dsl("punctuate-fail", b -> b.<String, String>stream("in").process(Ticking::new).to("out"))
            .scenario(s -> s.advance(10).advance(10)).fails();
        r.dsl("punctuate-continue-dead-letter",
                b -> b.<String, String>stream("in").process(Ticking::new).to("out"))
            .config(ON_PROCESS, LogAndContinueProcessingExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.advance(10).in("in", "k", "v", 3, "h", "1").advance(10).advance(10));
        r.dsl("punctuate-own-handler",
                b -> b.<String, String>stream("in").process(Ticking::new, Named.as("ticking"))
                    .to("out"))
            .config(ON_PROCESS, NotingProcessor.class)
            .scenario(s -> s.advance(10).in("in", "k", "v", 3).advance(10).advance(10));
    }

    private static void written(StreamsBuilder b) {
        b.<String, String>stream("in").mapValues(v -> v.trim())
            .to("out", Produced.<String, String>as("write").withValueSerde(picky()));
    }

    private static Scenario unwritable(Scenario s) {
        return s.in("in", "a", "fine", 1).in("in", "b", " unwritable", 2, "h", "1")
            .in("in", "c", "fine", 3);
    }

    private static void writing(Registry r) {
        r.dsl("write-fail", Failure::written).scenario(s -> s.in("in", "b", " unwritable", 2))
            .fails();
        r.dsl("write-fail-dead-letter", Failure::written)
            .config(ON_WRITE, DefaultProductionExceptionHandler.class)
            .config(DEAD_LETTERS, "letters")
            .scenario(s -> s.in("in", "b", " unwritable", 2, "h", "1")).fails();
        r.dsl("write-own-handler", Failure::written).config(ON_WRITE, NotingWriter.class)
            .scenario(Failure::unwritable);
    }
}
