package conformance;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;

/** Sources whose serdes are known from the start, so that windowed keys can be written too. */
final class Text {
    private Text() {
    }

    static Consumed<String, String> text() {
        return Consumed.with(Serdes.String(), Serdes.String());
    }

    static KStream<String, String> stream(StreamsBuilder b, String topic) {
        return b.stream(topic, text());
    }

    static KTable<String, String> table(StreamsBuilder b, String topic) {
        return b.table(topic, text());
    }
}
