package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.connection.BusyConnectionException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.connection.HeartbeatException;
import com.datastax.oss.driver.api.core.servererrors.BootstrappingException;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import com.datastax.oss.driver.api.core.servererrors.QueryValidationException;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import com.datastax.oss.driver.api.core.servererrors.WriteTimeoutException;
import java.time.Duration;
import java.util.List;

/**
 * Which errors are worth another attempt, and when. Every write may be repeated: its time is part
 * of it.
 */
final class Retries {
    private static final List<Class<? extends Throwable>> PASSING =
            List.of(
                    AllNodesFailedException.class, // also: no node is there
                    DriverTimeoutException.class,
                    BusyConnectionException.class,
                    ClosedConnectionException.class,
                    HeartbeatException.class,
                    BootstrappingException.class,
                    OverloadedException.class,
                    UnavailableException.class,
                    WriteTimeoutException.class);

    private final int most;
    private final Duration first;
    private final Duration longest;

    Retries(int most, Duration first, Duration longest) {
        this.most = most;
        this.first = first;
        this.longest = longest;
    }

    /** The wait before another attempt, after `retries` of them; null when there is none. */
    Duration next(Throwable error, int retries) {
        if (retries >= most || PASSING.stream().noneMatch(kind -> kind.isInstance(error))) {
            return null;
        }
        long doubled =
                first.toMillis()
                        << Math.min(retries, Long.numberOfLeadingZeros(first.toMillis()) - 1);
        return Duration.ofMillis(Math.min(doubled, longest.toMillis()));
    }

    /**
     * Whether the server will always refuse: a missing permission, a table that is gone, a value
     * out of its bounds.
     */
    static boolean isRefusal(Throwable error) {
        return error instanceof QueryValidationException;
    }
}
