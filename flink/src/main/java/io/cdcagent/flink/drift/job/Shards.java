package io.cdcagent.flink.drift.job;

import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * The parts into which partition keys of the table are divided. Each has a machine of its own, and
 * a key of Flink's that falls into a key group of its own: so shards spread evenly over the tasks.
 */
final class Shards {
    private final int[] keys;

    Shards(int count) {
        keys = new int[count];
        boolean[] isFound = new boolean[count];
        int left = count;
        for (int key = 0; left > 0; key++) {
            int group = KeyGroupRangeAssignment.assignToKeyGroup(key, count);
            if (!isFound[group]) {
                isFound[group] = true;
                keys[group] = key;
                left--;
            }
        }
    }

    /** Keys of all shards. */
    int[] keys() {
        return keys.clone();
    }

    /** Key of the shard of a partition key. */
    int keyOf(String partitionKey) {
        return keys[Math.floorMod(partitionKey.hashCode(), keys.length)];
    }

    /** The shard whose machine speaks for all of them. */
    int speaker() {
        return keys[0];
    }
}
