package cdc.oracle.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The segments of a folder in the order of their names, and how many bytes of them are in use. */
public final class Corpus {
    private static final int MARKER_BYTES = 8;

    public final List<Path> segments;
    public final Path schema;
    /** File bytes from the header to the end of the last section: without the unused rest of the last segment. */
    public final long bytes;

    public Corpus(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            segments = files.filter(file -> file.getFileName().toString().matches("CommitLog-.*\\.log")).sorted()
                .collect(Collectors.toCollection(ArrayList::new));
        }
        if (segments.isEmpty()) {
            throw new IOException("no commit log segments in " + folder);
        }
        schema = folder.resolve("schema.json");
        long sum = 0;
        for (Path segment : segments) {
            sum += usedBytes(segment);
        }
        bytes = sum;
    }

    private static long usedBytes(Path segment) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "r")) {
            file.seek(Integer.BYTES + Long.BYTES);
            long marker = Integer.BYTES + Long.BYTES + Short.BYTES + file.readUnsignedShort() + Integer.BYTES;
            while (marker + MARKER_BYTES <= file.length()) {
                file.seek(marker);
                int next = file.readInt();
                if (next <= marker) {
                    break;
                }
                marker = next;
            }
            return marker;
        }
    }
}
