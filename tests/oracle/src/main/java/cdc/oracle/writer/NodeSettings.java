package cdc.oracle.writer;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** How the commit log of an offline node is to be written; becomes its cassandra.yaml. */
public final class NodeSettings {
    private static final String PASSWORD = "cassandra";
    private static final String ALIAS = "testing:1";

    /** {@code none}, {@code encrypted} or the name of a compressor class. */
    public String compression = "none";
    /** Value of {@code storage_compatibility_mode}; null for releases that do not know it. */
    public String compatibility;
    public String segmentSize = "1MiB";
    /** Value of {@code commitlog_disk_access_mode}; null for releases that do not know it. */
    public String diskAccess;
    /** Encrypted segments: KiB of plain data in one chunk. */
    public int chunkKib = 64;

    /** Writes cassandra.yaml into the node's folder. */
    Path write(Path home) throws IOException {
        List<String> yaml = new ArrayList<>(List.of(
            "cluster_name: writer",
            "num_tokens: 1",
            "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch: SimpleSnitch",
            "listen_address: 127.0.0.1",
            "start_native_transport: false",
            "seed_provider:",
            "  - class_name: org.apache.cassandra.locator.SimpleSeedProvider",
            "    parameters:",
            "      - seeds: \"127.0.0.1\"",
            "data_file_directories: [\"" + home.resolve("data") + "\"]",
            "commitlog_directory: " + home.resolve("commitlog"),
            "saved_caches_directory: " + home.resolve("saved_caches"),
            "hints_directory: " + home.resolve("hints"),
            "cdc_raw_directory: " + home.resolve("cdc_raw"),
            // only a node with cdc enabled writes the column cdc of system_schema.tables
            "cdc_enabled: true",
            "cdc_total_space: 100GiB",
            "commitlog_total_space: 100GiB",
            "commitlog_sync: periodic",
            "commitlog_sync_period: 10s",
            "commitlog_segment_size: " + segmentSize,
            "memtable_heap_space: 256MiB",
            "memtable_offheap_space: 64MiB"));
        if (compatibility != null) {
            yaml.add("storage_compatibility_mode: " + compatibility);
        }
        if (diskAccess != null) {
            yaml.add("commitlog_disk_access_mode: " + diskAccess);
        }
        if (compression.equals("encrypted")) {
            addEncryption(yaml, home.resolve("keystore.jceks"));
        } else if (!compression.equals("none")) {
            yaml.add("commitlog_compression:");
            yaml.add("  - class_name: " + compression);
        }
        return Files.write(home.resolve("cassandra.yaml"), yaml);
    }

    private void addEncryption(List<String> yaml, Path keystore) {
        yaml.addAll(List.of(
            "transparent_data_encryption_options:",
            "  enabled: true",
            "  chunk_length_kb: " + chunkKib,
            "  cipher: AES/CBC/PKCS5Padding",
            "  key_alias: \"" + ALIAS + "\"",
            "  iv_length: 16",
            "  key_provider:",
            "    - class_name: org.apache.cassandra.security.JKSKeyProvider",
            "      parameters:",
            "        - keystore: " + keystore,
            "          keystore_password: " + PASSWORD,
            "          store_type: JCEKS",
            "          key_password: " + PASSWORD));
    }

    /** Writes the key of encrypted segments, as the key store {@code keystore.jceks} and as {@code key.hex}. */
    void writeKey(Path folder, byte[] key) throws IOException, GeneralSecurityException {
        SecretKey secret = new SecretKeySpec(key, "AES");
        KeyStore store = KeyStore.getInstance("JCEKS");
        store.load(null, null);
        store.setEntry(ALIAS, new KeyStore.SecretKeyEntry(secret), new KeyStore.PasswordProtection(PASSWORD.toCharArray()));
        try (OutputStream out = Files.newOutputStream(folder.resolve("keystore.jceks"))) {
            store.store(out, PASSWORD.toCharArray());
        }
        StringBuilder hex = new StringBuilder();
        for (byte b : key) {
            hex.append(String.format("%02x", b));
        }
        Files.write(folder.resolve("key.hex"), hex.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
    }

    boolean encrypted() {
        return compression.equals("encrypted");
    }
}
