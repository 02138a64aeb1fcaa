package io.cdcagent.flink.drift.machine;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/** All rows, the one that was touched first at the front. */
final class Memory {
    final Map<String, Partition> partitions = new HashMap<>();
    final TreeSet<RowTime> byAge = new TreeSet<>();

    /** Of what was logged up to here something was forgotten, microseconds. */
    Long forgottenToUs;

    /** The row of an event, made where there is none, as touched by it. */
    Row touch(RowEvent event) {
        RowId id = event.key.id();
        Partition partition = partitions.computeIfAbsent(id.partition, key -> new Partition());
        Row row = partition.rows.get(id.key);
        if (row == null) {
            row = new Row();
            row.touchedUs = event.loggedUs;
            row.sinceUs = event.loggedUs;
            partition.rows.put(id.key, row);
        }
        if (row.clustering == null) {
            row.clustering = event.key.clustering;
        }
        byAge.remove(new RowTime(row.touchedUs, id, 0));
        row.touchedUs = Math.max(row.touchedUs, event.loggedUs);
        byAge.add(new RowTime(row.touchedUs, id, 0));
        return row;
    }

    /** A row that is remembered; null otherwise. */
    Row row(RowId id) {
        Partition partition = partitions.get(id.partition);
        return partition == null ? null : partition.rows.get(id.key);
    }

    int size() {
        return byAge.size();
    }

    /**
     * Forgets what was last touched before this time and is decided; then, while there are more
     * than `most` rows, the oldest. Counts them.
     */
    void forget(long beforeUs, long nowUs, int most, Forgotten count) {
        while (!byAge.isEmpty()) {
            RowTime oldest = byAge.first();
            boolean isTooMany = byAge.size() > most;
            if (oldest.us >= beforeUs && !isTooMany) {
                return;
            }
            byAge.pollFirst();
            Row row = row(oldest.row);
            int undecided = row == null ? 0 : row.entries.size();
            if (undecided > 0 && !isTooMany) {
                row.touchedUs = nowUs;
                byAge.add(new RowTime(nowUs, oldest.row, 0));
                continue;
            }
            if (isTooMany) {
                count.rows++;
                count.undecided += undecided;
            }
            forgottenToUs = Micros.max(forgottenToUs, oldest.us);
            remove(oldest.row);
        }
    }

    private void remove(RowId id) {
        Partition partition = partitions.get(id.partition);
        if (partition != null) {
            partition.rows.remove(id.key);
            if (partition.rows.isEmpty()) {
                partitions.remove(id.partition);
            }
        }
    }
}
