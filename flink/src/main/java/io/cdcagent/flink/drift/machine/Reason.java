package io.cdcagent.flink.drift.machine;

import io.cdcagent.flink.drift.json.JsonLine;
import io.cdcagent.flink.drift.json.JsonText;
import java.util.List;

/** Why a verdict is not a plain one, as fields of its evidence. */
abstract class Reason {
    /** It may be a late copy of what is not remembered any more. */
    static final Reason FORGOTTEN = new Plain("forgotten");

    /** A write of a part of a row without its cells cannot be compared. */
    static final Reason PARTIAL = new Plain("partial");

    /** More was waiting for the other side than is remembered. */
    static final Reason FULL = new Plain("full");

    /** The row hashes have two definitions. */
    static final Reason HASH_DEFINITION = new HashDefinition();

    abstract void addTo(Both<Told> told, JsonLine evidence);

    private static final class Plain extends Reason {
        private final String word;

        Plain(String word) {
            this.word = word;
        }

        @Override
        void addTo(Both<Told> told, JsonLine evidence) {
            evidence.text("reason", word);
        }
    }

    private static final class HashDefinition extends Reason {
        @Override
        void addTo(Both<Told> told, JsonLine evidence) {
            evidence.text("reason", "hash_def");
            evidence.json(
                    "hash_defs",
                    JsonLine.array(List.of(of(told, Side.ONPREM), of(told, Side.CLOUD))));
        }

        private static String of(Both<Told> told, Side side) {
            Told found = told.of(side);
            boolean isNone = found == null || found.hashDef == null;
            return isNone ? "null" : JsonText.quoted(found.hashDef);
        }
    }

    /** A gap in the stream of a side. */
    static final class InGap extends Reason {
        private final Side side;
        private final Gap gap;

        InGap(Side side, Gap gap) {
            this.side = side;
            this.gap = gap;
        }

        @Override
        void addTo(Both<Told> told, JsonLine evidence) {
            boolean isTruncation = gap.kind == GapKind.TRUNCATED;
            evidence.text("reason", isTruncation ? "truncated" : "gap");
            evidence.json(
                    "gap",
                    new JsonLine()
                            .text("side", side.word())
                            .text("host_id", gap.hostId.isEmpty() ? null : gap.hostId)
                            .number("from_us", gap.fromUs > Long.MIN_VALUE ? gap.fromUs : null)
                            .number("to_us", gap.toUs < Long.MAX_VALUE ? gap.toUs : null)
                            .toString());
        }
    }

    /** Nodes that are behind. */
    static final class Silent extends Reason {
        private final List<String> nodes;

        /** With the JSON of each: `side`, `host_id` (null: no node at all), `wm_us`. */
        Silent(List<String> nodes) {
            this.nodes = nodes;
        }

        static String node(Side side, String hostId, Long wmUs) {
            return new JsonLine()
                    .text("side", side.word())
                    .text("host_id", hostId.isEmpty() ? null : hostId)
                    .number("wm_us", wmUs)
                    .toString();
        }

        @Override
        void addTo(Both<Told> told, JsonLine evidence) {
            evidence.text("reason", "silent");
            evidence.json("silent", JsonLine.array(nodes));
        }
    }
}
