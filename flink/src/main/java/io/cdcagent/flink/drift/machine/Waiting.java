package io.cdcagent.flink.drift.machine;

/** An event that the other side has not been seen to hold. */
final class Waiting {
    final Side side;
    final String eventId;
    final Content content;
    final long dueUs;

    /** When the other side can have logged it. */
    final Window window;

    Waiting(Side side, String eventId, Content content, long dueUs, Window window) {
        this.side = side;
        this.eventId = eventId;
        this.content = content;
        this.dueUs = dueUs;
        this.window = window;
    }
}
