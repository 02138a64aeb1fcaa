package io.cdcagent.flink.cassandra;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * A bounded number of writes at once, each with its retries. The first one that is given up fails
 * all that follow.
 */
final class AsyncWrites<S> implements AutoCloseable {
    private final Function<S, CompletionStage<?>> sender;
    private final Retries retries;
    private final SinkMetrics metrics;
    private final String target;
    private final int max;
    private final Semaphore free;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    work -> {
                        Thread thread = new Thread(work, "cdc-agent-flink-retries");
                        thread.setDaemon(true);
                        return thread;
                    });

    /** `target` is for messages. */
    AsyncWrites(
            Function<S, CompletionStage<?>> sender,
            Retries retries,
            int max,
            SinkMetrics metrics,
            String target) {
        this.sender = sender;
        this.retries = retries;
        this.max = max;
        this.metrics = metrics;
        this.target = target;
        free = new Semaphore(max);
    }

    /**
     * Sends a write; waits first while `max` are without an answer.
     *
     * @throws IOException when an earlier one was given up
     * @throws RefusedException when the server refused an earlier one for good
     */
    void submit(S write) throws IOException, InterruptedException {
        free.acquire();
        try {
            check();
        } catch (IOException | RuntimeException error) {
            free.release();
            throw error;
        }
        metrics.begun();
        attempt(write, System.nanoTime(), 0);
    }

    /** Waits for all writes; throws as `submit` does. */
    void drain() throws IOException, InterruptedException {
        free.acquire(max);
        free.release(max);
        check();
    }

    /** Stops trying. Writes without an answer may or may not have been done. */
    @Override
    public void close() {
        timer.shutdownNow();
    }

    private void check() throws IOException {
        Throwable error = failure.get();
        if (error == null) {
            return;
        }
        String what = error.getClass().getSimpleName() + ": " + error.getMessage();
        if (Retries.isRefusal(error)) {
            throw new RefusedException(
                    String.format(
                            "%s refused a write (%s). Check the table and what its user may do.",
                            target, what));
        }
        throw new IOException(
                String.format(
                        "A write to %s was given up (%s). It is repeated from the last checkpoint.",
                        target, what),
                error);
    }

    private void attempt(S write, long begun, int retried) {
        CompletionStage<?> answer;
        try {
            answer = sender.apply(write);
        } catch (RuntimeException error) {
            failed(write, begun, retried, error);
            return;
        }
        answer.whenComplete(
                (done, error) -> {
                    if (error == null) {
                        metrics.acknowledged(Duration.ofNanos(System.nanoTime() - begun));
                        free.release();
                    } else {
                        failed(write, begun, retried, cause(error));
                    }
                });
    }

    private void failed(S write, long begun, int retried, Throwable error) {
        Duration wait = failure.get() == null ? retries.next(error, retried) : null;
        if (wait == null || !again(write, begun, retried + 1, wait)) {
            failure.compareAndSet(null, error);
            metrics.givenUp();
            free.release();
        }
    }

    /** False after the end. */
    private boolean again(S write, long begun, int retried, Duration wait) {
        try {
            timer.schedule(
                    () -> attempt(write, begun, retried), wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            return false;
        }
        metrics.retried();
        return true;
    }

    private static Throwable cause(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null
                ? error.getCause()
                : error;
    }
}
