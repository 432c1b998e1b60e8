package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/** murmur2 hashes and the partitions the default partitioner takes for them. */
final class Partition {
    private static final int[] PARTITIONS = {1, 2, 3, 4, 6, 7, 16, 100, 2147483647};

    private Partition() {
    }

    static void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        for (byte[] key : keys()) {
            Map<String, Object> partitions = new LinkedHashMap<>();
            for (int count : PARTITIONS) {
                partitions.put(Integer.toString(count),
                    BuiltInPartitioner.partitionForKey(key, count));
            }
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("type", "partition");
            line.put("key", key);
            line.put("murmur2", Utils.murmur2(key));
            line.put("partitions", partitions);
            lines.add(Json.line(line));
        }
        Files.write(file, lines);
    }

    /** Text, every length up to 40, high bytes, and longer random ones. */
    private static List<byte[]> keys() {
        List<byte[]> keys = new ArrayList<>();
        for (String text : List.of("", "a", "ab", "abc", "abcd", "abcde", "21", "foobar", "user-1",
            "user-2",
                "order:42", "Zürich", "鍵", "a-little-bit-long-string",
                    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")) {
            keys.add(Scenario.bytes(text));
        }
        Random random = new Random(20);
        for (int length = 1; length <= 40; length++) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            keys.add(key);
        }
        for (int length : new int[] {3, 4, 5, 8}) {
            byte[] high = new byte[length];
            java.util.Arrays.fill(high, (byte) 0xff);
            keys.add(high);
            keys.add(new byte[length]);
        }
        byte[] large = new byte[1000];
        random.nextBytes(large);
        keys.add(large);
        return keys;
    }
}
