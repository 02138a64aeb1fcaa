package io.cdcagent.flink.drift.machine;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which sides told of an event, in the order in which events came. An id is one of its partition of
 * the table: a record that no agent wrote takes nothing from the rows of others, and it is the same
 * wherever partitions are divided among machines.
 */
final class EventIds {
    /** What is known of an event. */
    static final class Seen {
        final long sinceUs;
        int sides;

        Seen(long sinceUs, int sides) {
            this.sinceUs = sinceUs;
            this.sides = sides;
        }
    }

    final Map<EventId, Seen> seen = new LinkedHashMap<>();

    /** Whether this side told of the event before; if not, it has now. */
    boolean isRepeat(String partitionKey, String eventId, Side side, long nowUs) {
        if (isKnown(partitionKey, eventId, side)) {
            return true;
        }
        EventId id = EventId.of(eventId);
        if (id != null) {
            seen.computeIfAbsent(id.within(partitionKey), key -> new Seen(nowUs, 0)).sides |=
                    bit(side);
        }
        return false;
    }

    boolean isKnown(String partitionKey, String eventId, Side side) {
        EventId id = EventId.of(eventId);
        // A state that an earlier build made has them without their partitions.
        return id != null && (isKnown(id.within(partitionKey), side) || isKnown(id, side));
    }

    private boolean isKnown(EventId id, Side side) {
        Seen known = seen.get(id);
        return known != null && (known.sides & bit(side)) != 0;
    }

    void forget(long beforeUs, int most, Forgotten count) {
        Iterator<Seen> oldest = seen.values().iterator();
        while (oldest.hasNext()) {
            if (oldest.next().sinceUs >= beforeUs) {
                if (seen.size() <= most) {
                    return;
                }
                count.eventIds++;
            }
            oldest.remove();
        }
    }

    int size() {
        return seen.size();
    }

    private static int bit(Side side) {
        return side == Side.ONPREM ? 1 : 2;
    }
}
