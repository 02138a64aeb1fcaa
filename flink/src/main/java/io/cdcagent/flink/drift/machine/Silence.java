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
    private final Limits limits;

    Silence(Options options, State state, Limits limits) {
        this.options = options;
        this.state = state;
        this.limits = limits;
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
        // When there is no room to wait, whoever holds the time back is told of at once.
        Side ahead = limits.ahead();
        TreeSet<SilentNode> silent = new TreeSet<>();
        List<String> nodes = new ArrayList<>();
        for (Side side : Side.values()) {
            Clock clock = state.clocks.of(side);
            Long sideUs = clock.watermarkUs(options.sides.of(side));
            for (Map.Entry<String, Long> node : nodes(side).entrySet()) {
                Long wmUs = node.getValue();
                boolean holdsBack =
                        ahead != null && ahead != side && Micros.compare(wmUs, sideUs) == 0;
                long behindUs = clock.behindUs(node.getKey(), newestUs, state.firstHeardUs);
                if (behindUs > options.silenceUs || holdsBack) {
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
