package io.cdcagent.flink.cassandra;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;

/**
 * The metrics of a writer. The driver's threads count here; {@link #report} hands the numbers to
 * Flink, whose counters belong to the task's thread.
 */
final class SinkMetrics {
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong inFlight = new AtomicLong();
    private volatile long lastMillis;

    private final Counter numRecordsSend;
    private final Counter numRecordsSendErrors;
    private final Counter retries;
    private final Counter guardRefusals;

    SinkMetrics(SinkWriterMetricGroup group) {
        numRecordsSend = group.getNumRecordsSendCounter();
        numRecordsSendErrors = group.getNumRecordsSendErrorsCounter();
        // Counted while the task waits, when it matters.
        retries = group.counter("retries", new ThreadSafeSimpleCounter());
        guardRefusals = group.counter("guardRefusals");
        group.gauge("inflight", (Gauge<Long>) inFlight::get);
        group.setCurrentSendTimeGauge(() -> lastMillis);
    }

    /** A write begins. */
    void begun() {
        inFlight.incrementAndGet();
    }

    /** A write was acknowledged, this long after its first attempt. */
    void acknowledged(Duration took) {
        lastMillis = took.toMillis();
        sent.incrementAndGet();
        inFlight.decrementAndGet();
    }

    /** A write was given up. */
    void givenUp() {
        failed.incrementAndGet();
        inFlight.decrementAndGet();
    }

    /** A write is tried again. */
    void retried() {
        retries.inc();
    }

    /** A guard refused. Of the task's thread. */
    void refused() {
        guardRefusals.inc();
    }

    /** Of the task's thread. */
    void report() {
        numRecordsSend.inc(sent.getAndSet(0));
        numRecordsSendErrors.inc(failed.getAndSet(0));
    }
}
