package io.cdcagent.flink.drift.machine;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which sides told of an event, in the order in which events came. */
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
    boolean isRepeat(String eventId, Side side, long nowUs) {
        EventId id = EventId.of(eventId);
        if (id == null) {
            return false;
        }
        Seen known = seen.computeIfAbsent(id, key -> new Seen(nowUs, 0));
        boolean isRepeat = (known.sides & bit(side)) != 0;
        known.sides |= bit(side);
        return isRepeat;
    }

    boolean isKnown(String eventId, Side side) {
        EventId id = EventId.of(eventId);
        Seen known = id == null ? null : seen.get(id);
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
