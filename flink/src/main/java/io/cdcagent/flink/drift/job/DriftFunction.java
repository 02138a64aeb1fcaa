package io.cdcagent.flink.drift.job;

import io.cdcagent.flink.drift.machine.Both;
import io.cdcagent.flink.drift.machine.InputWire;
import io.cdcagent.flink.drift.machine.Machine;
import io.cdcagent.flink.drift.machine.Options;
import io.cdcagent.flink.drift.machine.Said;
import io.cdcagent.flink.drift.machine.Side;
import io.cdcagent.flink.drift.machine.State;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;

/**
 * Runs the machine of each shard over its inputs, and keeps what it knows in keyed state. When
 * something is due the machine knows by its watermarks, which are those of both sides' nodes:
 * Flink's timers are not asked, as its watermarks know neither nodes nor silence. The machine
 * itself bounds what it remembers.
 */
final class DriftFunction extends KeyedProcessFunction<Integer, Routed, RowData> {
    private static final long serialVersionUID = 1L;

    private final JobOptions job;
    private final PartitionCounts counts;

    private transient Options options;
    private transient String table;
    private transient int speaker;
    private transient ValueState<State> states;
    private transient DriftMetrics metrics;

    DriftFunction(JobOptions job, PartitionCounts counts) {
        this.job = job;
        this.counts = counts;
    }

    // The one with an OpenContext is not there in Flink 1.17.
    @Override
    @SuppressWarnings("deprecation")
    public void open(Configuration parameters) throws Exception {
        options = job.machine(new Both<>(partitions(Side.ONPREM), partitions(Side.CLOUD)));
        table = job.layout().table();
        speaker = new Shards(job.shards()).speaker();
        states =
                getRuntimeContext()
                        .getState(new ValueStateDescriptor<>("machine", StateSerializer.INSTANCE));
        metrics = new DriftMetrics(getRuntimeContext().getMetricGroup());
    }

    private int partitions(Side side) throws InterruptedException {
        return counts.of(job.kafka(side.word() + "."), job.topic(side));
    }

    @Override
    public void processElement(Routed routed, Context context, Collector<RowData> out)
            throws Exception {
        State held = states.value();
        State state = held == null ? new State() : held;
        Machine machine = new Machine(options, state, routed.shardKey == speaker);
        machine.take(
                InputWire.of(routed.input),
                said -> out.collect(row(said, state, routed.timestampMs)));
        states.update(state);
        metrics.of(routed.shardKey, state);
    }

    /** The record of what was said after a record of this timestamp. */
    private RowData row(Said said, State state, long timestampMs) {
        Long decidedUs = state.watermarkUs();
        return VerdictRow.of(
                job.text(said.isCurrent() ? "current-topic" : "audit-topic"),
                said.recordKey(table),
                said.recordValue(table),
                decidedUs == null ? timestampMs : decidedUs / 1000);
    }
}
