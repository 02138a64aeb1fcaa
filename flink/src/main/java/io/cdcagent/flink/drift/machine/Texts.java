package io.cdcagent.flink.drift.machine;

import java.util.Comparator;

/** Texts in the order of their bytes in UTF-8, which is that of code points. */
final class Texts {
    static final Comparator<String> ORDER = Texts::compare;

    private Texts() {}

    private static int compare(String one, String other) {
        int most = Math.min(one.length(), other.length());
        for (int at = 0; at < most; at++) {
            char first = one.charAt(at);
            char second = other.charAt(at);
            if (first != second) {
                // Surrogates stand for code points above all others.
                int bySurrogate =
                        Boolean.compare(
                                Character.isSurrogate(first), Character.isSurrogate(second));
                return bySurrogate != 0 ? bySurrogate : Character.compare(first, second);
            }
        }
        return Integer.compare(one.length(), other.length());
    }
}
