package io.cdcagent.flink.cassandra;

import org.apache.flink.runtime.execution.SuppressRestartsException;

/**
 * The sink does not write: a guard found the wrong data centre, replication, schema or user, or a
 * row can never be written. The same would happen after a restart, so the job must end: see {@link
 * #endingTheJob()}.
 */
final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what was found, where, and what to do; never with values of rows or secrets. */
    RefusedException(String message) {
        super(message);
    }

    /**
     * The exception that Flink takes for one that no restart can mend, whatever the restart
     * strategy.
     */
    SuppressRestartsException endingTheJob() {
        return new SuppressRestartsException(this);
    }
}
