package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** What the DDL says, checked as far as it can be without asking Cassandra. Travels in the job. */
final class SinkConfig implements Serializable {
    private static final long serialVersionUID = 1L;

    private static final Set<DefaultConsistencyLevel> LOCAL =
            Set.of(DefaultConsistencyLevel.LOCAL_QUORUM, DefaultConsistencyLevel.LOCAL_ONE);
    private static final Set<DefaultConsistencyLevel> SERIAL =
            Set.of(DefaultConsistencyLevel.SERIAL, DefaultConsistencyLevel.LOCAL_SERIAL);

    final List<ContactPoint> hosts;
    final String datacenter;

    /** Null when nodes may be anywhere. */
    final Networks allowedNetworks;

    final String keyspace;
    final String table;
    final Secret username;
    final Secret password;

    /** Null without TLS. */
    final TlsConfig tls;

    final DefaultConsistencyLevel consistency;
    final Set<String> allowReplicationTo;

    /** Null when the sink counts the time by itself. */
    final String writeTimestampColumn;

    final boolean writeTimestampInMillis;
    final boolean nullsAreWritten;
    final int maxInFlight;
    final int maxRetries;
    final Duration retryBackoff;
    final Duration retryBackoffMax;
    final Duration requestTimeout;
    final Duration connectTimeout;

    final List<Column> columns;
    final Set<String> primaryKey;

    /**
     * Reads the options for a table with these columns.
     *
     * @throws ValidationException naming the option and what it may be
     */
    SinkConfig(ReadableConfig options, List<Column> columns, List<String> primaryKey) {
        hosts =
                List.copyOf(
                        ContactPoint.parse(
                                options.get(CassandraOptions.HOSTS),
                                options.get(CassandraOptions.PORT)));
        datacenter = notBlank(options, CassandraOptions.DATACENTER);
        allowedNetworks =
                options.getOptional(CassandraOptions.ALLOWED_NETWORKS)
                        .map(Networks::parse)
                        .orElse(null);
        keyspace = notBlank(options, CassandraOptions.KEYSPACE);
        table = notBlank(options, CassandraOptions.TABLE);
        username = Secret.of(options, CassandraOptions.USERNAME);
        password = Secret.of(options, CassandraOptions.PASSWORD);
        if ((username == null) != (password == null)) {
            throw new ValidationException(
                    "A user needs a password: give one of 'username', 'username-env', 'username-file' and one of 'password',"
                            + " 'password-env', 'password-file', or none of them.");
        }
        tls = TlsConfig.of(options);
        consistency = consistency(options);
        allowReplicationTo = allowReplicationTo(options);
        this.columns = new ArrayList<>(columns);
        this.primaryKey = new LinkedHashSet<>(primaryKey);
        writeTimestampColumn =
                options.getOptional(CassandraOptions.WRITE_TIMESTAMP_COLUMN).orElse(null);
        writeTimestampInMillis =
                oneOf(options, CassandraOptions.WRITE_TIMESTAMP_UNIT, "us", "ms").equals("ms");
        nullsAreWritten =
                oneOf(options, CassandraOptions.NULL_COLUMNS, "unset", "null").equals("null");
        maxInFlight = atLeast(options, CassandraOptions.MAX_IN_FLIGHT, 1);
        maxRetries = atLeast(options, CassandraOptions.MAX_RETRIES, 0);
        retryBackoff = positive(options, CassandraOptions.RETRY_BACKOFF);
        retryBackoffMax = positive(options, CassandraOptions.RETRY_BACKOFF_MAX);
        requestTimeout = positive(options, CassandraOptions.REQUEST_TIMEOUT);
        connectTimeout = positive(options, CassandraOptions.CONNECT_TIMEOUT);
        checkKey();
        checkWriteTimestamp();
    }

    /** Where it writes, for people: no user, no secret. */
    @Override
    public String toString() {
        return String.format("Cassandra table %s.%s in %s", keyspace, table, datacenter);
    }

    private void checkKey() {
        if (primaryKey.isEmpty()) {
            throw new ValidationException(
                    String.format(
                            "The sink of %s.%s has no PRIMARY KEY. Declare the table's partition key and clustering columns:"
                                    + " PRIMARY KEY (…) NOT ENFORCED.",
                            keyspace, table));
        }
    }

    private void checkWriteTimestamp() {
        if (writeTimestampColumn == null) {
            return;
        }
        LogicalType type =
                columns.stream()
                        .filter(column -> column.name.equals(writeTimestampColumn))
                        .map(column -> column.type)
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new ValidationException(
                                                String.format(
                                                        "'write-timestamp-column': there is no column '%s'; there are %s.",
                                                        writeTimestampColumn,
                                                        columns.stream()
                                                                .map(column -> column.name)
                                                                .collect(
                                                                        Collectors.joining(
                                                                                ", ")))));
        LogicalTypeRoot root = type.getTypeRoot();
        if (root != LogicalTypeRoot.BIGINT
                && root != LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE
                && root != LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE) {
            throw new ValidationException(
                    String.format(
                            "'write-timestamp-column': '%s' is %s; it must be TIMESTAMP, TIMESTAMP_LTZ or BIGINT.",
                            writeTimestampColumn, type.asSummaryString()));
        }
    }

    private static DefaultConsistencyLevel consistency(ReadableConfig options) {
        String given = options.get(CassandraOptions.CONSISTENCY_LEVEL).toUpperCase(Locale.ROOT);
        DefaultConsistencyLevel level =
                Stream.of(DefaultConsistencyLevel.values())
                        .filter(known -> known.name().equals(given))
                        .findFirst()
                        .orElse(null);
        if (level == null || SERIAL.contains(level)) {
            throw new ValidationException(
                    String.format(
                            "'consistency-level': %s is no level of plain writes; take LOCAL_QUORUM or LOCAL_ONE.",
                            given));
        }
        if (!LOCAL.contains(level) && !options.get(CassandraOptions.ALLOW_CROSS_DC_CONSISTENCY)) {
            throw new ValidationException(
                    String.format(
                            "'consistency-level': %s also counts replicas of other data centres; take LOCAL_QUORUM or LOCAL_ONE, or say"
                                    + " 'allow-cross-dc-consistency' = 'true' where that is meant.",
                            given));
        }
        return level;
    }

    private Set<String> allowReplicationTo(ReadableConfig options) {
        Set<String> found = new LinkedHashSet<>();
        String given = options.getOptional(CassandraOptions.ALLOW_REPLICATION_TO).orElse("");
        for (String name : given.split(",")) {
            if (!name.isBlank()) {
                found.add(name.strip());
            }
        }
        if (found.contains(datacenter)) {
            throw new ValidationException(
                    String.format(
                            "'allow-replication-to' is for other data centres than %s; leave that out.",
                            datacenter));
        }
        return found;
    }

    private static String notBlank(ReadableConfig options, ConfigOption<String> option) {
        String given = options.get(option);
        if (given == null || given.isBlank()) {
            throw new ValidationException(String.format("'%s' is empty.", option.key()));
        }
        return given;
    }

    private static String oneOf(
            ReadableConfig options, ConfigOption<String> option, String... known) {
        String given = options.get(option);
        if (!List.of(known).contains(given)) {
            throw new ValidationException(
                    String.format(
                            "'%s' = '%s': it must be %s.",
                            option.key(), given, String.join(" or ", known)));
        }
        return given;
    }

    private static int atLeast(ReadableConfig options, ConfigOption<Integer> option, int least) {
        int given = options.get(option);
        if (given < least) {
            throw new ValidationException(
                    String.format(
                            "'%s' = '%d': it must be at least %d.", option.key(), given, least));
        }
        return given;
    }

    private static Duration positive(ReadableConfig options, ConfigOption<Duration> option) {
        Duration given = options.get(option);
        if (given.isZero() || given.isNegative()) {
            throw new ValidationException(
                    String.format("'%s' must be more than nothing, as '5 s'.", option.key()));
        }
        return given;
    }
}
