package cdc.oracle.bench;

import cdc.oracle.Offline;
import cdc.oracle.SchemaFile;
import cdc.oracle.writer.Options;
import cdc.oracle.writer.Program;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.commitlog.CommitLogDescriptor;
import org.apache.cassandra.db.commitlog.CommitLogReadHandler;
import org.apache.cassandra.db.commitlog.CommitLogReader;
import org.apache.cassandra.io.util.File;

/** Measures Cassandra's own CommitLogReader with a handler that does nothing; level {@code read}. */
public final class ReaderBench {
    private ReaderBench() {
    }

    public static void main(String[] arguments) {
        Program.run(() -> run(arguments));
    }

    private static void run(String[] arguments) throws Exception {
        Options options = Rounds.options(arguments);
        Corpus corpus = new Corpus(options.path("corpus"));
        Offline.start(Map.of(), null);
        new SchemaFile(corpus.schema.toFile(), false).register();
        new Rounds(corpus, Map.of("read", ReaderBench::read)).run(options);
    }

    private static Rounds.Count read(List<Path> segments) throws Exception {
        Rounds.Count count = new Rounds.Count();
        CommitLogReadHandler handler = new CommitLogReadHandler() {
            @Override
            public boolean shouldSkipSegmentOnError(CommitLogReadException exception) {
                throw new IllegalStateException("the corpus cannot be read", exception);
            }

            @Override
            public void handleUnrecoverableError(CommitLogReadException exception) {
                throw new IllegalStateException("the corpus cannot be read", exception);
            }

            @Override
            public void handleMutation(Mutation mutation, int size, int position, CommitLogDescriptor descriptor) {
                count.mutations++;
            }
        };
        for (Path segment : segments) {
            new CommitLogReader().readCommitLogSegment(handler, new File(segment), true);
        }
        return count;
    }
}
