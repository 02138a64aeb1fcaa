package io.cdcagent.flink.drift.machine;

import java.util.Objects;

/** A stretch of the log of one node of which its side's stream says too little, microseconds. */
final class Gap {
    /** Empty: of any node of the side. */
    final String hostId;

    final long fromUs;

    /** `Long.MAX_VALUE` while it goes on. */
    final long toUs;

    final GapKind kind;

    /** As in {@link GapNotice}. */
    final RowId row;

    Gap(String hostId, long fromUs, long toUs, GapKind kind, RowId row) {
        this.hostId = hostId;
        this.fromUs = fromUs;
        this.toUs = toUs;
        this.kind = kind;
        this.row = row;
    }

    boolean touches(Window window, RowId id) {
        boolean isOfRow =
                row == null
                        || (row.partition.equals(id.partition)
                                && (row.key.equals(row.partition) || row.key.equals(id.key)));
        return isOfRow && fromUs <= window.toUs && toUs >= window.fromUs;
    }

    /** Whether what was published may be untrue. */
    boolean isUntrue() {
        return kind == GapKind.FORGOTTEN || kind == GapKind.TRUNCATED;
    }

    /** One that is as long as both, and about all that either is about. */
    Gap join(Gap other) {
        GapKind joined = other.isUntrue() && !isUntrue() ? other.kind : kind;
        return new Gap(
                hostId,
                Math.min(fromUs, other.fromUs),
                Math.max(toUs, other.toUs),
                joined,
                Objects.equals(row, other.row) ? row : null);
    }

    /** One that ended then. */
    Gap until(long us) {
        return new Gap(hostId, fromUs, Math.max(us, fromUs), GapKind.LOST, row);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Gap
                && hostId.equals(((Gap) other).hostId)
                && fromUs == ((Gap) other).fromUs
                && toUs == ((Gap) other).toUs
                && kind == ((Gap) other).kind
                && Objects.equals(row, ((Gap) other).row);
    }

    @Override
    public int hashCode() {
        return Objects.hash(hostId, fromUs, toUs, kind, row);
    }
}
