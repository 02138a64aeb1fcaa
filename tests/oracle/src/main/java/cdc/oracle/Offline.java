package cdc.oracle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.cassandra.config.DatabaseDescriptor;

/**
 * Cassandra's classes without a node: a generated cassandra.yaml below a temporary folder, read by
 * {@link DatabaseDescriptor#toolInitialization()}. Nothing is written but there; the folder is removed at exit.
 */
public final class Offline {
    private Offline() {}

    /** A key store for encrypted segments; type is a Java key store type, such as JCEKS or PKCS12. */
    public static final class KeyStoreOptions {
        public final String file;
        public final String password;
        public final String keyPassword;
        public final String type;
        public final String alias;

        public KeyStoreOptions(String file, String password, String keyPassword, String type, String alias) {
            this.file = file;
            this.password = password;
            this.keyPassword = keyPassword;
            this.type = type;
            this.alias = alias;
        }
    }

    /**
     * Starts Cassandra's configuration and its built-in schema.
     *
     * @param settings further lines of cassandra.yaml, name to value; they replace the defaults of the same name
     * @param keyStore null when no segment is encrypted
     */
    public static void start(Map<String, String> settings, KeyStoreOptions keyStore) throws IOException {
        Path folder = Files.createTempDirectory("cdc-oracle");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(folder)));

        List<String> yaml = new ArrayList<>();
        defaults(folder).forEach((name, value) -> {
            if (!settings.containsKey(name)) {
                yaml.add(name + ": " + value);
            }
        });
        settings.forEach((name, value) -> yaml.add(name + ": " + value));
        if (keyStore != null) {
            yaml.addAll(encryption(keyStore));
        }
        Path file = folder.resolve("cassandra.yaml");
        Files.write(file, yaml);
        System.setProperty("cassandra.config", file.toUri().toString());
        System.setProperty("cassandra.storagedir", folder.toString());
        DatabaseDescriptor.toolInitialization();
    }

    private static Map<String, String> defaults(Path folder) {
        return Map.of(
                "cluster_name", "oracle",
                "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner",
                "commitlog_sync", "periodic",
                "commitlog_sync_period", "10s",
                "endpoint_snitch", "SimpleSnitch",
                "listen_address", "127.0.0.1",
                "commitlog_directory", quoted(folder.resolve("commitlog").toString()),
                "saved_caches_directory", quoted(folder.resolve("saved_caches").toString()),
                "data_file_directories", "[" + quoted(folder.resolve("data").toString()) + "]",
                "seed_provider",
                        "[{class_name: org.apache.cassandra.locator.SimpleSeedProvider,"
                                + " parameters: [{seeds: '127.0.0.1'}]}]");
    }

    private static List<String> encryption(KeyStoreOptions store) {
        return List.of(
                "transparent_data_encryption_options:",
                "    enabled: true",
                "    cipher: AES/CBC/PKCS5Padding",
                "    key_alias: " + quoted(store.alias),
                "    key_provider:",
                "      - class_name: org.apache.cassandra.security.JKSKeyProvider",
                "        parameters:",
                "          - keystore: " + quoted(store.file),
                "            keystore_password: " + quoted(store.password),
                "            key_password: " + quoted(store.keyPassword),
                "            store_type: " + quoted(store.type));
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static void remove(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            System.err.println("cannot remove " + folder + ": " + e.getMessage());
        }
    }
}
