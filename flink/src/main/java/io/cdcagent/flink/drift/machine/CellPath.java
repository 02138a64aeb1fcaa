package io.cdcagent.flink.drift.machine;

/** Paths of cells: a column, or a column and one of its elements. */
public final class CellPath {
    /** The row's own liveness. */
    public static final String LIVENESS = "";

    private static final char SEPARATOR = '\0';

    private CellPath() {}

    /** One element of a column. */
    public static String element(String column, String path) {
        return column + SEPARATOR + path;
    }

    /** The deletion of all elements of a column. */
    public static String allElements(String column) {
        return element(column, "");
    }

    static String column(String path) {
        int end = path.indexOf(SEPARATOR);
        return end < 0 ? path : path.substring(0, end);
    }

    /** Path of the deletion that takes the cell of an element away; null of every other cell. */
    static String deletionOf(String path) {
        int end = path.indexOf(SEPARATOR);
        boolean isElement = end >= 0 && end + 1 < path.length();
        return isElement ? path.substring(0, end + 1) : null;
    }
}
