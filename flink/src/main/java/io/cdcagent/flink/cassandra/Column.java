package io.cdcagent.flink.cassandra;

import java.io.Serializable;
import org.apache.flink.table.types.logical.LogicalType;

/** A column of the sink's DDL. */
final class Column implements Serializable {
    private static final long serialVersionUID = 1L;

    final String name;
    final LogicalType type;

    /** Its position in a row. */
    final int position;

    Column(String name, LogicalType type, int position) {
        this.name = name;
        this.type = type;
        this.position = position;
    }
}
