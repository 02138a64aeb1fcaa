package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.NodeStateListener;
import com.datastax.oss.driver.api.core.metadata.NodeStateListenerBase;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.SchemaChangeListener;
import com.datastax.oss.driver.api.core.metadata.schema.SchemaChangeListenerBase;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Repeats the checks of the start whenever the cluster says that nodes, the keyspace or the table
 * have changed. What it finds ends the job at the next row or checkpoint.
 */
final class Watch {
    private final SinkConfig config;
    private final Set<InetSocketAddress> contactPoints;
    private final AtomicReference<RefusedException> found = new AtomicReference<>();

    Watch(SinkConfig config, Set<InetSocketAddress> contactPoints) {
        this.config = config;
        this.contactPoints = contactPoints;
    }

    /**
     * Called before a row is sent.
     *
     * @throws RefusedException when a check failed since the start
     */
    void check() {
        RefusedException refused = found.get();
        if (refused != null) {
            throw refused;
        }
    }

    NodeStateListener ofNodes() {
        return new NodeStateListenerBase() {
            @Override
            public void onAdd(Node node) {
                checkNode(node);
            }

            @Override
            public void onUp(Node node) {
                checkNode(node);
            }
        };
    }

    SchemaChangeListener ofSchema() {
        return new SchemaChangeListenerBase() {
            @Override
            public void onKeyspaceUpdated(KeyspaceMetadata current, KeyspaceMetadata previous) {
                if (isOurs(current)) {
                    repeat(() -> ReplicationGuard.check(config, current.getReplication()));
                }
            }

            @Override
            public void onTableUpdated(TableMetadata current, TableMetadata previous) {
                if (isOurs(current)) {
                    repeat(() -> TableCheck.columns(config, current));
                }
            }

            @Override
            public void onTableDropped(TableMetadata table) {
                if (isOurs(table)) {
                    repeat(
                            () -> {
                                throw TableCheck.missing(config);
                            });
                }
            }
        };
    }

    /** Other nodes of other data centres are none of ours: they get no connections. */
    private void checkNode(Node node) {
        String datacenter = node.getDatacenter();
        if (datacenter != null
                && !datacenter.equals(config.datacenter)
                && node.getEndPoint().resolve() instanceof InetSocketAddress
                && contactPoints.contains((InetSocketAddress) node.getEndPoint().resolve())) {
            repeat(
                    () -> {
                        throw new RefusedException(
                                String.format(
                                        "The contact point %s is now in data centre %s, this sink writes to %s alone. Correct 'hosts'.",
                                        node.getEndPoint(), datacenter, config.datacenter));
                    });
        }
    }

    private void repeat(Runnable check) {
        try {
            check.run();
        } catch (RefusedException refused) {
            found.compareAndSet(null, refused);
        }
    }

    private boolean isOurs(KeyspaceMetadata keyspace) {
        return keyspace.getName().asInternal().equals(config.keyspace);
    }

    private boolean isOurs(TableMetadata table) {
        return table.getKeyspace().asInternal().equals(config.keyspace)
                && table.getName().asInternal().equals(config.table);
    }
}
