package cdc.oracle.dump;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.commitlog.CommitLogDescriptor;
import org.apache.cassandra.db.commitlog.CommitLogReadHandler;
import org.apache.cassandra.schema.TableId;

/** Prints the mutations of one segment as they come, keeps its errors, and never tells the reader to stop. */
final class SegmentHandler implements CommitLogReadHandler {
    private static final Pattern POSITION = Pattern.compile(" at (?:position )?(\\d+)");
    /** The reader leaves the bytes of every mutation that it cannot decode in a temporary file of this name. */
    private static final Pattern SAVED = Pattern.compile("saved to (\\S+mutation\\S+dat)\\. ");

    private final String segment;
    private final JsonGenerator json;
    private final MutationJson mutations;
    private final Predicate<String> printed;

    private final List<Failure> failures = new ArrayList<>();
    private final Map<String, Integer> byKeyspace = new TreeMap<>();
    private int count;
    private long bytes;

    private static final class Failure {
        final String kind;
        final boolean permissible;
        final String message;
        final Long position;

        Failure(String kind, boolean permissible, String message) {
            System.err.println(kind + ": " + message);
            this.kind = kind;
            this.permissible = permissible;
            // the class of the message is what stands before its first place, path or further cause
            this.message = message.split(" at \\d| at position| in file|[:;] ")[0].replaceAll("\\d+", "N");
            Matcher matcher = POSITION.matcher(message);
            this.position = matcher.find() ? Long.valueOf(matcher.group(1)) : null;
        }
    }

    SegmentHandler(String segment, JsonGenerator json, Predicate<String> printed) {
        this.segment = segment;
        this.json = json;
        this.mutations = new MutationJson(json);
        this.printed = printed;
    }

    @Override
    public boolean shouldSkipSegmentOnError(CommitLogReadException exception) {
        add(exception);
        return false;
    }

    @Override
    public void handleUnrecoverableError(CommitLogReadException exception) {
        add(exception);
    }

    private void add(CommitLogReadException exception) {
        Matcher saved = SAVED.matcher(exception.getMessage());
        if (saved.find()) {
            new File(saved.group(1)).delete();
        }
        failures.add(new Failure(exception.reason.name(), exception.permissible, exception.getMessage()));
    }

    /** The reader gave up with an exception of its own. */
    void failed(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String names = error.getClass().getSimpleName() + " by " + root.getClass().getSimpleName();
        failures.add(new Failure("EXCEPTION", false, names + ": " + root.getMessage()));
    }

    @Override
    public void handleMutation(Mutation mutation, int size, int position, CommitLogDescriptor descriptor) {
        count++;
        bytes += size;
        byKeyspace.merge(mutation.getKeyspaceName(), 1, Integer::sum);
        if (!printed.test(mutation.getKeyspaceName())) {
            return;
        }
        try {
            mutations.write(segment, position, size, mutation);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The closing line of the segment. */
    void summary(Set<Map.Entry<TableId, AtomicInteger>> unknownTables) throws IOException {
        json.writeStartObject();
        json.writeStringField("segment", segment);
        json.writeArrayFieldStart("errors");
        for (Failure failure : failures) {
            json.writeStartObject();
            json.writeStringField("kind", failure.kind);
            json.writeStringField("message", failure.message);
            json.writeBooleanField("permissible", failure.permissible);
            if (failure.position != null) {
                json.writeNumberField("position", failure.position);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNumberField("mutations", count);
        json.writeNumberField("bytes", bytes);
        json.writeObjectFieldStart("keyspaces");
        for (Map.Entry<String, Integer> entry : byKeyspace.entrySet()) {
            json.writeNumberField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
        Map<String, Integer> skipped = new TreeMap<>();
        unknownTables.forEach(entry -> skipped.put(entry.getKey().toString(), entry.getValue().get()));
        json.writeObjectFieldStart("skipped_unknown_tables");
        for (Map.Entry<String, Integer> entry : skipped.entrySet()) {
            json.writeNumberField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
        json.writeEndObject();
    }
}
