package org.apache.kafka.streams;

import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Reads a produced record with its partition, which {@link TestOutputTopic} does not show; that
 * method of the driver is visible in its package only.
 */
public final class ProducedRecord {
    private ProducedRecord() {
    }

    /** The next record the program sent to the topic, or null. */
    public static ProducerRecord<byte[], byte[]> next(TopologyTestDriver driver, String topic) {
        return driver.readRecord(topic);
    }
}
