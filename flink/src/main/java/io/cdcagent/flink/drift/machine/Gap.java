package io.cdcagent.flink.drift.machine;

import java.util.Objects;

/** A stretch of the log of one node of which its side's stream says too little, microseconds. */
final class Gap {
    final String hostId;
    final long fromUs;
    final long toUs;
    final GapKind kind;

    Gap(String hostId, long fromUs, long toUs, GapKind kind) {
        this.hostId = hostId;
        this.fromUs = fromUs;
        this.toUs = toUs;
        this.kind = kind;
    }

    boolean touches(Window window) {
        return fromUs <= window.toUs && toUs >= window.fromUs;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Gap
                && hostId.equals(((Gap) other).hostId)
                && fromUs == ((Gap) other).fromUs
                && toUs == ((Gap) other).toUs
                && kind == ((Gap) other).kind;
    }

    @Override
    public int hashCode() {
        return Objects.hash(hostId, fromUs, toUs, kind);
    }
}
