package io.cdcagent.flink.drift.machine;

/** When something can have been logged, microseconds. */
final class Window {
    final long fromUs;
    final long toUs;

    Window(long fromUs, long toUs) {
        this.fromUs = fromUs;
        this.toUs = toUs;
    }
}
