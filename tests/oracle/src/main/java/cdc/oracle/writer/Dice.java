package cdc.oracle.writer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** The only source of chance of a run: everything that is generated follows from its seed. */
final class Dice {
    private final Random random;

    Dice(long seed) {
        random = new Random(seed);
    }

    /** True with the given probability, 0 to 1. */
    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    /** A number from {@code low} to {@code high}, both included. */
    int between(int low, int high) {
        return low + random.nextInt(high - low + 1);
    }

    long anyLong() {
        return random.nextLong();
    }

    int anyInt() {
        return random.nextInt();
    }

    /** Number of any magnitude: as likely to have 3 bits as 60. */
    long spreadLong() {
        return random.nextLong() >> random.nextInt(64);
    }

    double anyDouble() {
        return Double.longBitsToDouble(random.nextLong());
    }

    byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    @SafeVarargs
    final <T> T of(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    <T> T pick(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    /** {@code count} different elements (or all there are) in random order. */
    <T> List<T> sample(List<T> choices, int count) {
        List<T> shuffled = new ArrayList<>(choices);
        Collections.shuffle(shuffled, random);
        return new ArrayList<>(shuffled.subList(0, Math.min(count, shuffled.size())));
    }

    /** Mostly a few, now and then many: the length of a collection or the number of columns touched. */
    int few(int usual, int rare) {
        return chance(0.04) ? between(usual, rare) : between(0, usual);
    }
}
