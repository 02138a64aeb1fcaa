package io.cdcagent.flink.cassandra;

import java.time.Duration;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.factories.FactoryUtil;

/** The options of the sink's DDL; docs/flink-sink.md says what each means. */
final class CassandraOptions {
    // Not asList(): that would split at semicolons.
    static final ConfigOption<String> HOSTS = text("hosts", "Contact points, separated by commas.");
    static final ConfigOption<Integer> PORT =
            ConfigOptions.key("port")
                    .intType()
                    .defaultValue(9042)
                    .withDescription("Port of contact points without one.");
    static final ConfigOption<String> DATACENTER =
            text("datacenter", "The one data centre that is written to.");
    static final ConfigOption<String> ALLOWED_NETWORKS =
            text(
                    "allowed-networks",
                    "Networks in which nodes must be, separated by commas: 10.10.0.0/24.");
    static final ConfigOption<String> KEYSPACE =
            text("keyspace", "The keyspace, as Cassandra holds its name.");
    static final ConfigOption<String> TABLE =
            text("table", "The table, as Cassandra holds its name.");

    static final SecretOptions USERNAME = new SecretOptions("username", "The user", true);
    static final SecretOptions PASSWORD =
            new SecretOptions("password", "The user's password", true);

    static final ConfigOption<Boolean> SSL_ENABLED =
            ConfigOptions.key("ssl.enabled")
                    .booleanType()
                    .noDefaultValue()
                    .withDescription("TLS; true when another ssl option is given.");
    static final ConfigOption<String> SSL_CA_FILE =
            text("ssl.ca-file", "PEM file of certificate authorities.");
    static final ConfigOption<String> SSL_TRUSTSTORE =
            text("ssl.truststore", "JKS or PKCS#12 store of certificate authorities.");
    static final SecretOptions SSL_TRUSTSTORE_PASSWORD =
            new SecretOptions("ssl.truststore-password", "Password of the truststore", false);
    static final ConfigOption<String> SSL_KEYSTORE =
            text("ssl.keystore", "JKS or PKCS#12 store with the client's key.");
    static final SecretOptions SSL_KEYSTORE_PASSWORD =
            new SecretOptions("ssl.keystore-password", "Password of the keystore", false);
    static final ConfigOption<Boolean> SSL_HOSTNAME_VERIFICATION =
            ConfigOptions.key("ssl.hostname-verification")
                    .booleanType()
                    .defaultValue(true)
                    .withDescription("The certificate must name the host.");

    static final ConfigOption<String> CONSISTENCY_LEVEL =
            ConfigOptions.key("consistency-level")
                    .stringType()
                    .defaultValue("LOCAL_QUORUM")
                    .withDescription("LOCAL_QUORUM or LOCAL_ONE.");
    static final ConfigOption<Boolean> ALLOW_CROSS_DC_CONSISTENCY =
            ConfigOptions.key("allow-cross-dc-consistency")
                    .booleanType()
                    .defaultValue(false)
                    .withDescription("Take levels that count replicas of other data centres.");
    static final ConfigOption<String> ALLOW_REPLICATION_TO =
            text(
                    "allow-replication-to",
                    "Other data centres to which the keyspace may be replicated, separated by commas.");
    static final ConfigOption<String> WRITE_TIMESTAMP_COLUMN =
            text("write-timestamp-column", "The column whose value is the write time of the row.");
    static final ConfigOption<String> WRITE_TIMESTAMP_UNIT =
            ConfigOptions.key("write-timestamp-unit")
                    .stringType()
                    .defaultValue("us")
                    .withDescription("Unit of a BIGINT write time: us or ms.");
    static final ConfigOption<String> NULL_COLUMNS =
            ConfigOptions.key("null-columns")
                    .stringType()
                    .defaultValue("unset")
                    .withDescription("NULL leaves a column alone (unset) or deletes it (null).");

    static final ConfigOption<Integer> MAX_IN_FLIGHT =
            ConfigOptions.key("max-in-flight")
                    .intType()
                    .defaultValue(256)
                    .withDescription("Writes of one writer without an answer.");
    static final ConfigOption<Integer> MAX_RETRIES =
            ConfigOptions.key("max-retries")
                    .intType()
                    .defaultValue(5)
                    .withDescription("Retries of one write.");
    static final ConfigOption<Duration> RETRY_BACKOFF =
            duration("retry-backoff", Duration.ofMillis(100), "Wait before the first retry.");
    static final ConfigOption<Duration> RETRY_BACKOFF_MAX =
            duration("retry-backoff-max", Duration.ofSeconds(10), "Longest wait before a retry.");
    static final ConfigOption<Duration> REQUEST_TIMEOUT =
            duration("request-timeout", Duration.ofSeconds(5), "Time limit of one attempt.");
    static final ConfigOption<Duration> CONNECT_TIMEOUT =
            duration("connect-timeout", Duration.ofSeconds(5), "Time limit of one connection.");

    private CassandraOptions() {}

    static Set<ConfigOption<?>> required() {
        return Set.of(HOSTS, DATACENTER, KEYSPACE, TABLE);
    }

    static Set<ConfigOption<?>> optional() {
        return Set.of(
                PORT,
                ALLOWED_NETWORKS,
                USERNAME.text,
                USERNAME.environment,
                USERNAME.file,
                PASSWORD.text,
                PASSWORD.environment,
                PASSWORD.file,
                SSL_ENABLED,
                SSL_CA_FILE,
                SSL_TRUSTSTORE,
                SSL_TRUSTSTORE_PASSWORD.text,
                SSL_TRUSTSTORE_PASSWORD.file,
                SSL_KEYSTORE,
                SSL_KEYSTORE_PASSWORD.text,
                SSL_KEYSTORE_PASSWORD.file,
                SSL_HOSTNAME_VERIFICATION,
                CONSISTENCY_LEVEL,
                ALLOW_CROSS_DC_CONSISTENCY,
                ALLOW_REPLICATION_TO,
                WRITE_TIMESTAMP_COLUMN,
                WRITE_TIMESTAMP_UNIT,
                NULL_COLUMNS,
                MAX_IN_FLIGHT,
                MAX_RETRIES,
                RETRY_BACKOFF,
                RETRY_BACKOFF_MAX,
                REQUEST_TIMEOUT,
                CONNECT_TIMEOUT,
                FactoryUtil.SINK_PARALLELISM);
    }

    private static ConfigOption<String> text(String key, String description) {
        return ConfigOptions.key(key).stringType().noDefaultValue().withDescription(description);
    }

    private static ConfigOption<Duration> duration(
            String key, Duration standard, String description) {
        return ConfigOptions.key(key)
                .durationType()
                .defaultValue(standard)
                .withDescription(description);
    }

    /** The ways to give one secret: itself, by an environment variable, by a file. */
    static final class SecretOptions {
        final ConfigOption<String> text;

        /** Null where a variable is not offered. */
        final ConfigOption<String> environment;

        final ConfigOption<String> file;

        SecretOptions(String key, String description, boolean fromEnvironment) {
            text = CassandraOptions.text(key, description + ".");
            environment =
                    fromEnvironment
                            ? CassandraOptions.text(
                                    key + "-env",
                                    description
                                            + ", in this environment variable of the TaskManager.")
                            : null;
            file =
                    CassandraOptions.text(
                            key + "-file", description + ", in this file of the TaskManager.");
        }
    }
}
