package io.cdcagent.flink.drift.machine;

import java.util.List;

/** What decides about verdicts. Times are microseconds. */
public final class Options {
    final Mode mode;
    final Both<SideOptions> sides;
    final List<KeyOrder> clustering;

    /** How far the clocks of nodes may differ. */
    long toleranceUs;

    /** How much later than one side the other may have a write. */
    long graceUs;

    /** How far a node's watermark may fall behind the newest one before that is an alarm. */
    long silenceUs;

    /** How long rows and event ids are remembered after they were last told of. */
    long retentionUs;

    int maxRows = Integer.MAX_VALUE;
    int maxEventIds = Integer.MAX_VALUE;
    int maxWaiting = Integer.MAX_VALUE;

    /** Whether a write that is older than all that is remembered is INCOMPARABLE. */
    boolean oldIsIncomparable;

    /** Whether each MATCH is told, not only counted. */
    boolean writesMatches;

    public Options(Mode mode, Both<SideOptions> sides, List<KeyOrder> clustering) {
        this.mode = mode;
        this.sides = sides;
        this.clustering = clustering;
    }

    public Options times(long toleranceUs, long graceUs, long silenceUs, long retentionUs) {
        this.toleranceUs = toleranceUs;
        this.graceUs = graceUs;
        this.silenceUs = silenceUs;
        this.retentionUs = retentionUs;
        return this;
    }

    /** How many rows and event ids are remembered, and how many events wait for the other side. */
    public Options most(int rows, int eventIds, int waiting) {
        maxRows = rows;
        maxEventIds = eventIds;
        maxWaiting = waiting;
        return this;
    }

    public Options oldIsIncomparable(boolean on) {
        oldIsIncomparable = on;
        return this;
    }

    public Options writesMatches(boolean on) {
        writesMatches = on;
        return this;
    }

    /** How long after a write's logging the other side must have it. */
    long delayUs() {
        return Micros.add(toleranceUs, graceUs);
    }
}
