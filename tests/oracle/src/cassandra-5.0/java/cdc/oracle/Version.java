package cdc.oracle;

import org.apache.cassandra.cql3.ColumnIdentifier;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.schema.ColumnMetadata;

/** What is written differently against Cassandra 4.1 and 5.0; this is 5.0. */
public final class Version {
    private Version() {}

    public static final String NAME = "5.0";

    public static ColumnMetadata column(
            String keyspace,
            String table,
            ColumnIdentifier name,
            AbstractType<?> type,
            int position,
            ColumnMetadata.Kind kind) {
        return new ColumnMetadata(keyspace, table, name, type, position, kind, null);
    }
}
