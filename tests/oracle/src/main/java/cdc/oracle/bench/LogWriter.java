package cdc.oracle.bench;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.apache.cassandra.cql3.CQLStatement;
import org.apache.cassandra.cql3.QueryOptions;
import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.cql3.statements.ModificationStatement;
import org.apache.cassandra.db.IMutation;
import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.commitlog.CommitLog;
import org.apache.cassandra.service.ClientState;
import org.apache.cassandra.transport.Dispatcher;

/** Puts the mutations of prepared statements into the commit log, and nowhere else: nothing is held in memory or flushed. */
final class LogWriter {
    private static final Method GET_MUTATIONS = Arrays.stream(ModificationStatement.class.getDeclaredMethods())
        .filter(method -> method.getName().equals("getMutations")).findFirst().orElseThrow();
    /** "Now" in seconds is an int in 4.1 and a long in 5.0. */
    private static final boolean LONG_SECONDS = GET_MUTATIONS.getParameterTypes()[4] == long.class;

    static {
        GET_MUTATIONS.setAccessible(true);
    }

    private final ClientState client = ClientState.forInternalCalls();
    private long lastMicros;
    private long mutations;

    static CQLStatement prepare(String cql) {
        return QueryProcessor.prepareInternal(cql).statement;
    }

    /** Logs what the statement does with these values, at a time later than every one before. */
    @SuppressWarnings("unchecked") // the method is declared to return a list of mutations
    void write(CQLStatement statement, Object... values) throws InvocationTargetException, IllegalAccessException {
        long millis = System.currentTimeMillis();
        lastMicros = Math.max(lastMicros + 1, millis * 1000);
        QueryOptions options = QueryProcessor.makeInternalOptions(statement, values);
        Object seconds = LONG_SECONDS ? (Object) Long.valueOf(millis / 1000) : (Object) Integer.valueOf((int) (millis / 1000));
        Object result = GET_MUTATIONS.invoke(statement, client, options, true, lastMicros, seconds,
            Dispatcher.RequestTime.forImmediateExecution());
        for (IMutation mutation : (Iterable<? extends IMutation>) result) {
            CommitLog.instance.add((Mutation) mutation);
            mutations++;
        }
    }

    long mutations() {
        return mutations;
    }
}
