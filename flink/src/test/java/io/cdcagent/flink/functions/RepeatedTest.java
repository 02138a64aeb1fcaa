package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The memory of `unique` rules and of events; src/jobs/seen.rs has the same tests. */
class RepeatedTest {
    private final Repeated function = new Repeated();
    private final Repeated.Memory memory = function.createAccumulator();

    private boolean ask(String values, long kafkaMs) throws Exception {
        function.accumulate(memory, values, kafkaMs, 100L, 3L);
        return function.getValue(memory);
    }

    @Test
    void theFirstCountsUntilItsTimeIsOver() throws Exception {
        assertFalse(ask("a", 0));
        assertTrue(ask("a", 60));
        assertTrue(ask("a", 100));
        // 101 ms after the first, though 1 ms after a repeat.
        assertFalse(ask("a", 101));
        assertTrue(ask("a", 201));
        assertTrue(ask("a", 0), "an earlier timestamp is a repeat, too");
    }

    @Test
    void theMemoryIsBounded() throws Exception {
        for (String values : new String[] {"a", "b", "c", "d"}) {
            assertFalse(ask(values, 1));
        }
        assertEquals(1, function.forgotten());
        assertFalse(ask("a", 5), "forgotten");
        assertTrue(ask("d", 5));
        for (long number = 0; number < 10_000; number++) {
            assertFalse(ask(Long.toString(number), 1000 + number * 200));
        }
        assertEquals(1, memory.count);
        assertEquals(2, function.forgotten(), "what is over is not counted");
        assertEquals(1, memory.next - memory.oldest, "what is over is forgotten");
    }

    @Test
    void nothingIsNoRepeat() throws Exception {
        assertFalse(ask(null, 0));
        assertFalse(ask(null, 0));
        assertEquals(0, memory.count);
    }

    @Test
    void listsOfRules() {
        RuleList list = new RuleList();
        assertNull(list.eval(null));
        assertArrayEquals(new String[0], list.eval(""));
        assertArrayEquals(new String[] {"json"}, list.eval("json"));
        assertArrayEquals(new String[] {"id.type", "a.b"}, list.eval("id.type,a.b"));
    }
}
