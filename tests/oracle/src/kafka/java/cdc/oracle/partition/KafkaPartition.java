package cdc.oracle.partition;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/**
 * The partition that Kafka's own Java client gives to a record key.
 *
 * <p>Standard input: one line a key, {@code <key bytes in hex> <partition count>}. Standard output: one line each,
 * {@code <hex> <count> <murmur2 as a signed 32-bit number> <partition>}. An empty key is written as {@code -}.
 */
public final class KafkaPartition {
    private KafkaPartition() {}

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, "US-ASCII");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            String[] parts = line.trim().split("\\s+");
            if (parts.length != 2) {
                throw new IllegalArgumentException("a line must be <hex> <partition count>: " + line);
            }
            byte[] key = parts[0].equals("-") ? new byte[0] : bytes(parts[0]);
            int count = Integer.parseInt(parts[1]);
            int partition = BuiltInPartitioner.partitionForKey(key, count);
            out.println(parts[0] + " " + count + " " + Utils.murmur2(key) + " " + partition);
        }
        out.flush();
    }

    private static byte[] bytes(String hex) {
        if (hex.length() % 2 != 0) {
            throw new IllegalArgumentException("an odd number of hex digits: " + hex);
        }
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }
}
