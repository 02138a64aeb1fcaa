package io.cdcagent.flink.cassandra;

/** `'connector' = 'cassandra-dc'`: the same sink under a name that no other jar takes. */
public final class CassandraDcTableFactory extends CassandraTableFactory {
    @Override
    public String factoryIdentifier() {
        return "cassandra-dc";
    }
}
