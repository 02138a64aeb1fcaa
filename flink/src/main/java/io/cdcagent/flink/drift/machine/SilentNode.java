package io.cdcagent.flink.drift.machine;

import java.util.Comparator;

/** A node that is not heard; its name is empty when no node of the side is. */
final class SilentNode implements Comparable<SilentNode> {
    private static final Comparator<SilentNode> ORDER =
            Comparator.<SilentNode, Side>comparing(node -> node.side)
                    .thenComparing(node -> node.hostId, Texts.ORDER);

    final Side side;
    final String hostId;

    SilentNode(Side side, String hostId) {
        this.side = side;
        this.hostId = hostId;
    }

    @Override
    public int compareTo(SilentNode other) {
        return ORDER.compare(this, other);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SilentNode && compareTo((SilentNode) other) == 0;
    }

    @Override
    public int hashCode() {
        return side.hashCode() * 31 + hostId.hashCode();
    }
}
