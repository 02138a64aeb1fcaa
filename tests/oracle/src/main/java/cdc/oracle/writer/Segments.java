package cdc.oracle.writer;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Keeps a second name for every segment, so that none is lost when Cassandra discards it. */
final class Segments {
    private final Path commitlog;
    private final Path out;

    Segments(Path commitlog, Path out) {
        this.commitlog = commitlog;
        this.out = out;
    }

    /** Links the segments that exist now. */
    void keep() throws IOException {
        for (Path segment : list(commitlog)) {
            try {
                Files.createLink(out.resolve(segment.getFileName()), segment);
            } catch (FileAlreadyExistsException e) {
                // kept before
            }
        }
    }

    /** Removes the segments that were made ahead of need and never written. */
    void dropUnused() throws IOException {
        for (Path segment : list(out)) {
            if (isUnused(segment)) {
                Files.delete(segment);
            }
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().matches("CommitLog-.*\\.log")).collect(Collectors.toList());
        }
    }

    private static boolean isUnused(Path segment) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(segment))) {
            in.readInt();
            in.readLong();
            in.readFully(new byte[in.readUnsignedShort() + Integer.BYTES]);
            return in.available() < Long.BYTES || in.readLong() == 0;
        }
    }
}
