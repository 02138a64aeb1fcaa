package cdc.oracle.writer;

/** Ends a program properly: Cassandra's threads would keep it alive, or let it end well after a failure. */
public final class Program {
    /** What a program does. */
    public interface Body {
        void run() throws Exception;
    }

    private Program() {
    }

    /** Runs the body, then ends the process: with 0, or with 1 and the failure on standard error. */
    public static void run(Body body) {
        int code = 0;
        try {
            body.run();
        } catch (Exception | LinkageError | OutOfMemoryError e) {
            e.printStackTrace();
            code = 1;
        }
        System.exit(code);
    }
}
