package io.cdcagent.flink.drift.machine;

import java.util.Objects;
import java.util.function.Supplier;

/** A value for each side. */
public final class Both<T> {
    private T onprem;
    private T cloud;

    public Both(T onprem, T cloud) {
        this.onprem = onprem;
        this.cloud = cloud;
    }

    static <T> Both<T> each(Supplier<T> value) {
        return new Both<>(value.get(), value.get());
    }

    public T of(Side side) {
        return side == Side.ONPREM ? onprem : cloud;
    }

    void set(Side side, T value) {
        if (side == Side.ONPREM) {
            onprem = value;
        } else {
            cloud = value;
        }
    }

    /** The values as they are now. */
    Both<T> copy() {
        return new Both<>(onprem, cloud);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Both
                && Objects.equals(onprem, ((Both<?>) other).onprem)
                && Objects.equals(cloud, ((Both<?>) other).cloud);
    }

    @Override
    public int hashCode() {
        return Objects.hash(onprem, cloud);
    }
}
