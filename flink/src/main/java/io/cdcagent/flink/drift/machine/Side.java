package io.cdcagent.flink.drift.machine;

/** One of the two sides, by the users' names for them. */
public enum Side {
    ONPREM("onprem"),
    CLOUD("cloud");

    private final String word;

    Side(String word) {
        this.word = word;
    }

    /** The side that this one is compared with. */
    public Side other() {
        return this == ONPREM ? CLOUD : ONPREM;
    }

    /** Its name in options and records. */
    public String word() {
        return word;
    }
}
