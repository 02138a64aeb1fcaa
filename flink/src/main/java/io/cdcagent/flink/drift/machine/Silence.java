package io.cdcagent.flink.drift.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Nodes that are not heard: an alarm in place of verdicts. */
final class Silence {
    private final Options options;
    private final State state;

    Silence(Options options, State state) {
        this.options = options;
        this.state = state;
    }

    /**
     * Compares the watermark of each node with the newest one there is; tells when nodes fall
     * silent, and when all are heard again.
     */
    void listen(Consumer<Said> out) {
        Long newestUs =
                Micros.max(
                        state.clocks.of(Side.ONPREM).newestUs(),
                        state.clocks.of(Side.CLOUD).newestUs());
        if (newestUs == null) {
            return;
        }
        if (state.firstHeardUs == null) {
            state.firstHeardUs = newestUs;
        }
        TreeSet<SilentNode> silent = new TreeSet<>();
        List<String> nodes = new ArrayList<>();
        for (Side side : Side.values()) {
            for (Map.Entry<String, Long> node : nodes(side).entrySet()) {
                Long wmUs = node.getValue();
                // Who was never heard is given as long as anybody else.
                long sinceUs = wmUs == null ? state.firstHeardUs : wmUs;
                if (Micros.subtract(newestUs, sinceUs) > options.silenceUs) {
                    silent.add(new SilentNode(side, node.getKey()));
                    nodes.add(Reason.Silent.node(side, node.getKey(), wmUs));
                }
            }
        }
        if (silent.equals(state.silent)) {
            return;
        }
        state.silent.clear();
        state.silent.addAll(silent);
        tell(nodes, out);
    }

    private Map<String, Long> nodes(Side side) {
        Map<String, Long> found = state.clocks.of(side).ofHosts(options.sides.of(side));
        if (found.isEmpty()) {
            Map<String, Long> none = new TreeMap<>();
            none.put("", null);
            return none;
        }
        return found;
    }

    private void tell(List<String> nodes, Consumer<Said> out) {
        boolean isOver = nodes.isEmpty();
        Status status = isOver ? Status.RESOLVED : Status.UNKNOWN;
        Reason reason = isOver ? null : new Reason.Silent(nodes);
        Verdict verdict = Verdict.ofJob(status, state.watermarkUs, reason);
        state.counts.add(status);
        out.accept(Said.verdict(verdict));
        out.accept(Said.current(null, isOver ? null : verdict));
    }
}
