package io.cdcagent.flink.drift.machine;

/** A cell and its path ({@link CellPath}). */
public final class PathCell {
    final String path;
    final Cell cell;

    public PathCell(String path, Cell cell) {
        this.path = path;
        this.cell = cell;
    }
}
