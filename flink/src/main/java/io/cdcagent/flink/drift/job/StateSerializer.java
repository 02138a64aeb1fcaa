package io.cdcagent.flink.drift.job;

import io.cdcagent.flink.drift.machine.State;
import io.cdcagent.flink.drift.machine.StateWire;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;

/** Writes the state of a machine down; the form has a version of its own. */
public final class StateSerializer extends TypeSerializerSingleton<State> {
    private static final long serialVersionUID = 1L;
    private static final int FIRST_BYTES = 1024;

    static final StateSerializer INSTANCE = new StateSerializer();

    @Override
    public boolean isImmutableType() {
        return false;
    }

    @Override
    public State createInstance() {
        return new State();
    }

    @Override
    public State copy(State from) {
        try {
            DataOutputSerializer out = new DataOutputSerializer(FIRST_BYTES);
            StateWire.write(from, out);
            return StateWire.read(
                    new DataInputDeserializer(out.getSharedBuffer(), 0, out.length()));
        } catch (IOException error) {
            throw new IllegalStateException("the state of a machine cannot be copied", error);
        }
    }

    @Override
    public State copy(State from, State reuse) {
        return copy(from);
    }

    @Override
    public int getLength() {
        return -1;
    }

    @Override
    public void serialize(State state, DataOutputView out) throws IOException {
        StateWire.write(state, out);
    }

    @Override
    public State deserialize(DataInputView in) throws IOException {
        return StateWire.read(in);
    }

    @Override
    public State deserialize(State reuse, DataInputView in) throws IOException {
        return deserialize(in);
    }

    @Override
    public void copy(DataInputView in, DataOutputView out) throws IOException {
        serialize(deserialize(in), out);
    }

    @Override
    public TypeSerializerSnapshot<State> snapshotConfiguration() {
        return new Snapshot();
    }

    /** What a savepoint says about this serialiser. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<State> {
        public Snapshot() {
            super(() -> INSTANCE);
        }
    }
}
