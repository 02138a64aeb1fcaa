package io.cdcagent.flink.drift.machine;

/**
 * What the state machine is told, in the order in which a partition has it: {@link RowEvent},
 * {@link Heartbeat}, {@link Beginning} or {@link GapNotice}.
 */
public abstract class Input {
    final Side side;

    /** The node whose log it is about. */
    final String hostId;

    Input(Side side, String hostId) {
        this.side = side;
        this.hostId = hostId;
    }
}
