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

    /** Forgets what was last touched before this time and is decided. */
    void forget(long beforeUs, long nowUs) {
        while (!byAge.isEmpty() && byAge.first().us < beforeUs) {
            RowTime oldest = byAge.pollFirst();
            Row row = row(oldest.row);
            if (row != null && !row.entries.isEmpty()) {
                row.touchedUs = nowUs;
                byAge.add(new RowTime(nowUs, oldest.row, 0));
            } else {
                remove(oldest);
            }
        }
    }

    /** The row that was touched longest ago, where there are more than so many; or null. */
    RowId oldestBeyond(int most) {
        return byAge.size() > most ? byAge.first().row : null;
    }

    /** Forgets the row that was touched longest ago. */
    void forgetOldest() {
        remove(byAge.pollFirst());
    }

    private void remove(RowTime oldest) {
        forgottenToUs = Micros.max(forgottenToUs, oldest.us);
        RowId id = oldest.row;
        Partition partition = partitions.get(id.partition);
        if (partition != null) {
            partition.rows.remove(id.key);
            if (partition.rows.isEmpty()) {
                partitions.remove(id.partition);
            }
        }
    }
}
