package io.cdcagent.flink.cassandra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.NoNodeAvailableException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.ServerError;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bound, retries, first error, and what a flush waits for. */
@Timeout(60)
class AsyncWritesTest {
    private final BlockingQueue<CompletableFuture<Void>> attempts = new LinkedBlockingQueue<>();
    private final Counter sent = new SimpleCounter();
    private final Counter errors = new SimpleCounter();
    private final SinkMetrics metrics = new SinkMetrics(group());
    private final AsyncWrites<String> writes =
            new AsyncWrites<>(
                    this::send,
                    new Retries(2, Duration.ofMillis(1), Duration.ofMillis(2)),
                    2,
                    metrics,
                    "the table");

    /** Flink's own group for tests makes a new counter at each call. */
    private SinkWriterMetricGroup group() {
        SinkWriterMetricGroup others = UnregisteredMetricsGroup.createSinkWriterMetricGroup();
        Map<String, Counter> kept =
                Map.of("getNumRecordsSendCounter", sent, "getNumRecordsSendErrorsCounter", errors);
        return (SinkWriterMetricGroup)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {SinkWriterMetricGroup.class},
                        (proxy, method, arguments) ->
                                kept.containsKey(method.getName())
                                        ? kept.get(method.getName())
                                        : method.invoke(others, arguments));
    }

    private CompletionStage<Void> send(String write) {
        CompletableFuture<Void> answer = new CompletableFuture<>();
        attempts.add(answer);
        return answer;
    }

    private CompletableFuture<Void> attempt() throws InterruptedException {
        CompletableFuture<Void> found = attempts.poll(30, TimeUnit.SECONDS);
        assertTrue(found != null, "no attempt");
        return found;
    }

    private Thread inBackground(Body body) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                body.run();
                            } catch (IOException | InterruptedException error) {
                                throw new AssertionError(error);
                            }
                        });
        thread.start();
        return thread;
    }

    private interface Body {
        void run() throws IOException, InterruptedException;
    }

    private static void waitUntilItWaits(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            assertTrue(thread.isAlive(), "it did not wait");
            Thread.onSpinWait();
        }
    }

    @AfterEach
    void end() {
        writes.close();
    }

    @Test
    void atMostTwoAtOnce() throws Exception {
        writes.submit("a");
        writes.submit("b");
        Thread third = inBackground(() -> writes.submit("c"));
        waitUntilItWaits(third);
        assertEquals(2, attempts.size());
        attempt().complete(null);
        third.join();
        assertEquals(2, attempts.size());
    }

    @Test
    void aFlushWaitsForAllIncludingRetries() throws Exception {
        writes.submit("a");
        CompletableFuture<Void> first = attempt();
        Thread flush = inBackground(writes::drain);
        waitUntilItWaits(flush);
        first.completeExceptionally(new NoNodeAvailableException());
        CompletableFuture<Void> second = attempt();
        assertTrue(flush.isAlive());
        second.complete(null);
        flush.join();
        metrics.report();
        assertEquals(1, sent.getCount());
        assertEquals(0, errors.getCount());
    }

    @Test
    void retriesEnd() throws Exception {
        writes.submit("a");
        for (int round = 0; round < 3; round++) {
            attempt().completeExceptionally(new DriverTimeoutException("late"));
        }
        IOException error = assertThrows(IOException.class, writes::drain);
        assertTrue(error.getMessage().contains("the table"), error.getMessage());
        metrics.report();
        assertEquals(1, errors.getCount());
    }

    @Test
    void theFirstErrorFailsAllThatFollows() throws Exception {
        writes.submit("a");
        attempt().completeExceptionally(new ServerError(null, "broken"));
        assertThrows(IOException.class, () -> writes.submit("b"));
        assertThrows(IOException.class, writes::drain);
        assertTrue(attempts.isEmpty());
        assertThrows(IOException.class, writes::drain, "again: no place was lost");
    }

    @Test
    void whatTheServerRefusesEndsTheJob() throws Exception {
        writes.submit("a");
        attempt().completeExceptionally(new InvalidQueryException(null, "no such table"));
        assertThrows(RefusedException.class, writes::drain);
    }

    @Test
    void aSenderThatThrowsIsAnError() {
        AsyncWrites<String> broken =
                new AsyncWrites<>(
                        write -> {
                            throw new IllegalStateException("closed");
                        },
                        new Retries(1, Duration.ofMillis(1), Duration.ofMillis(1)),
                        1,
                        metrics,
                        "the table");
        assertThrows(
                IOException.class,
                () -> {
                    broken.submit("a");
                    broken.drain();
                });
        broken.close();
    }

    @Test
    void waitsDouble() {
        Retries retries = new Retries(100, Duration.ofMillis(100), Duration.ofSeconds(10));
        Throwable error = new NoNodeAvailableException();
        List<Long> expected =
                List.of(100L, 200L, 400L, 800L, 1600L, 3200L, 6400L, 10_000L, 10_000L);
        for (int done = 0; done < expected.size(); done++) {
            assertEquals(expected.get(done), retries.next(error, done).toMillis());
        }
        assertEquals(10_000, retries.next(error, 99).toMillis());
        assertNull(retries.next(error, 100));
        assertNull(retries.next(new ServerError(null, "broken"), 0));
        assertFalse(Retries.isRefusal(error));
    }
}
