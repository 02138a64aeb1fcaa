package io.cdcagent.flink.drift.job;

import io.cdcagent.flink.drift.machine.Counts;
import io.cdcagent.flink.drift.machine.Forgotten;
import io.cdcagent.flink.drift.machine.State;
import io.cdcagent.flink.drift.machine.Status;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.apache.flink.metrics.MetricGroup;

/**
 * What the machines of one task counted and remember, under the names of `cdc-jobs run drift`:
 * counts go on after a restart, as they are part of the state.
 */
final class DriftMetrics {
    private static final long MICROS = 1_000_000;

    /** By key of the shard. */
    private final Map<Integer, State> states = new HashMap<>();

    DriftMetrics(MetricGroup group) {
        for (Status status : Status.values()) {
            MetricGroup of = group.addGroup("status", status.name());
            gauge(of, "drift_verdicts_total", state -> state.counts().of(status));
        }
        counts(group, "drift_events_total", Counts::events);
        counts(group, "drift_repeats_total", Counts::repeats);
        counts(group, "drift_unversioned_total", Counts::unversioned);
        counts(group, "drift_before_start_total", Counts::beforeStart);
        gauge(group, "drift_rows", State::rows);
        gauge(group, "drift_event_ids", State::eventIds);
        gauge(group, "drift_waiting", State::waiting);
        forgotten(group, "rows", Forgotten::rows);
        forgotten(group, "versions", Forgotten::undecided);
        forgotten(group, "event_ids", Forgotten::eventIds);
        forgotten(group, "ranges", Forgotten::ranges);
        group.gauge("drift_watermark_seconds", this::watermark);
    }

    /** The state of a shard is this one now. */
    void of(int shardKey, State state) {
        states.put(shardKey, state);
    }

    private void gauge(MetricGroup group, String name, ToLongFunction<State> number) {
        group.gauge(name, () -> states.values().stream().mapToLong(number).sum());
    }

    private void counts(MetricGroup group, String name, ToLongFunction<Counts> number) {
        gauge(group, name, state -> number.applyAsLong(state.counts()));
    }

    private void forgotten(MetricGroup group, String what, ToLongFunction<Forgotten> number) {
        MetricGroup of = group.addGroup("what", what);
        counts(of, "drift_forgotten_total", counts -> number.applyAsLong(counts.forgotten()));
    }

    private long watermark() {
        return states.values().stream()
                .mapToLong(state -> state.watermarkUs() == null ? 0 : state.watermarkUs() / MICROS)
                .min()
                .orElse(0);
    }
}
