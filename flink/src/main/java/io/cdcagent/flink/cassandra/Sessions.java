package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.loadbalancing.NodeDistance;
import com.datastax.oss.driver.api.core.ssl.SslEngineFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/** Opens sessions with the user and TLS of the options. Reads the secrets once. */
final class Sessions {
    private final SinkConfig config;
    private final String username;
    private final String password;
    private final SslEngineFactory tls;

    /**
     * Reads secrets and files.
     *
     * @throws RefusedException when one is not there
     */
    Sessions(SinkConfig config) {
        this.config = config;
        username = config.username == null ? null : config.username.read();
        password = config.password == null ? null : config.password.read();
        tls = config.tls == null ? null : config.tls.engines();
    }

    /** A session that speaks with the node at `address` and no other, whatever its data centre. */
    CqlSession withOneNode(InetSocketAddress address) {
        ProgrammaticDriverConfigLoaderBuilder driver =
                common("guard")
                        .withString(
                                DefaultDriverOption.LOAD_BALANCING_POLICY_CLASS,
                                "BasicLoadBalancingPolicy")
                        .withBoolean(DefaultDriverOption.METADATA_SCHEMA_ENABLED, false)
                        .withBoolean(DefaultDriverOption.METADATA_TOKEN_MAP_ENABLED, false);
        return builder(driver, List.of(address))
                .withNodeDistanceEvaluator(
                        (node, local) ->
                                address.equals(node.getEndPoint().resolve())
                                        ? NodeDistance.LOCAL
                                        : NodeDistance.IGNORED)
                .build();
    }

    /** The session that writes: nodes of other data centres or networks get no connections. */
    CqlSession pinned(Collection<InetSocketAddress> addresses, Watch watch) {
        ProgrammaticDriverConfigLoaderBuilder driver =
                common("writer")
                        .withString(
                                DefaultDriverOption.LOAD_BALANCING_POLICY_CLASS,
                                "DefaultLoadBalancingPolicy")
                        .withString(
                                DefaultDriverOption.LOAD_BALANCING_LOCAL_DATACENTER,
                                config.datacenter)
                        .withInt(
                                DefaultDriverOption
                                        .LOAD_BALANCING_DC_FAILOVER_MAX_NODES_PER_REMOTE_DC,
                                0)
                        .withBoolean(
                                DefaultDriverOption
                                        .LOAD_BALANCING_DC_FAILOVER_ALLOW_FOR_LOCAL_CONSISTENCY_LEVELS,
                                false)
                        .withStringList(
                                DefaultDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES,
                                List.of(config.keyspace));
        return builder(driver, addresses)
                .withNodeDistanceEvaluator(
                        (node, local) ->
                                config.datacenter.equals(node.getDatacenter())
                                                && (config.allowedNetworks == null
                                                        || config.allowedNetworks.contain(node))
                                        ? null // the policy's own answer: LOCAL
                                        : NodeDistance.IGNORED)
                .addNodeStateListener(watch.ofNodes())
                .addSchemaChangeListener(watch.ofSchema())
                .build();
    }

    private CqlSessionBuilder builder(
            ProgrammaticDriverConfigLoaderBuilder driver, Collection<InetSocketAddress> addresses) {
        CqlSessionBuilder builder =
                CqlSession.builder()
                        .withClassLoader(Sessions.class.getClassLoader())
                        .withConfigLoader(driver.build())
                        .withApplicationName("cdc-agent-flink")
                        .addContactPoints(addresses);
        if (username != null) {
            builder.withAuthCredentials(username, password);
        }
        if (tls != null) {
            builder.withSslEngineFactory(tls);
        }
        return builder;
    }

    private ProgrammaticDriverConfigLoaderBuilder common(String name) {
        return DriverConfigLoader.programmaticBuilder(Sessions.class.getClassLoader())
                .withString(DefaultDriverOption.SESSION_NAME, "cdc-agent-flink-" + name)
                .withString(DefaultDriverOption.REQUEST_CONSISTENCY, config.consistency.name())
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, config.requestTimeout)
                // A write carries its own time, so that it can be repeated.
                .withBoolean(DefaultDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, true)
                .withDuration(DefaultDriverOption.CONNECTION_CONNECT_TIMEOUT, config.connectTimeout)
                .withDuration(
                        DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, config.connectTimeout)
                .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, config.connectTimeout)
                .withDuration(DefaultDriverOption.RECONNECTION_BASE_DELAY, Duration.ofMillis(500))
                .withDuration(DefaultDriverOption.RECONNECTION_MAX_DELAY, config.retryBackoffMax)
                .withInt(DefaultDriverOption.NETTY_IO_SIZE, 2)
                .withInt(DefaultDriverOption.NETTY_ADMIN_SIZE, 1)
                .withInt(DefaultDriverOption.NETTY_IO_SHUTDOWN_QUIET_PERIOD, 0)
                .withInt(DefaultDriverOption.NETTY_ADMIN_SHUTDOWN_QUIET_PERIOD, 0);
    }
}
