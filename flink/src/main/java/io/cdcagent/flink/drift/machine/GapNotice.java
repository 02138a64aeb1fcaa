package io.cdcagent.flink.drift.machine;

/** The log of a node cannot be relied on for some time. */
public final class GapNotice extends Input {
    /** When the agent said so, milliseconds. */
    final long tsMs;

    /** What is lacking, and from when to when. */
    final GapKind kind;

    /**
     * The row that it is about; null: all rows. With the key of its partition as its own, it is
     * about all rows of that.
     */
    final RowId row;

    /** One that is about all rows. */
    public GapNotice(Side side, String hostId, long tsMs, GapKind kind) {
        this(side, hostId, tsMs, kind, (RowId) null);
    }

    /** One about a row; null: about all. The host id is empty where it may be any node. */
    public GapNotice(Side side, String hostId, long tsMs, GapKind kind, RowKey row) {
        this(side, hostId, tsMs, kind, row == null ? null : row.id());
    }

    /** The columns of the partition key of its row, compact JSON; null: of all rows. */
    public String partitionKey() {
        return row == null ? null : row.partition;
    }

    GapNotice(Side side, String hostId, long tsMs, GapKind kind, RowId row) {
        super(side, hostId);
        this.tsMs = tsMs;
        this.kind = kind;
        this.row = row;
    }
}
