package cdc.oracle.dump;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.commitlog.CommitLogDescriptor;
import org.apache.cassandra.db.commitlog.CommitLogReadHandler;
import org.apache.cassandra.schema.TableId;

/** Prints the mutations of one segment as they come, keeps its errors, and never tells the reader to stop. */
final class SegmentHandler implements CommitLogReadHandler {
    private static final Pattern POSITION = Pattern.compile(" at (?:position )?(\\d+)");

    private final String segment;
    private final JsonGenerator json;
    private final MutationJson mutations;
    /** Keyspaces whose mutations are printed; null for all. */
    private final Set<String> printed;

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
            this.kind = kind;
            this.permissible = permissible;
            // the class of the message is what stands before its first place, path or further cause
            this.message = message.split(" at \\d| at position| in file|[:;] ")[0].replaceAll("\\d+", "N");
            Matcher matcher = POSITION.matcher(message);
            this.position = matcher.find() ? Long.valueOf(matcher.group(1)) : null;
        }
    }

    SegmentHandler(String segment, JsonGenerator json, Set<String> printed) {
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
        failures.add(new Failure(exception.reason.name(), exception.permissible, exception.getMessage()));
    }

    /** The reader gave up with an exception of its own. */
    void failed(Throwable error) {
        failures.add(new Failure("EXCEPTION", false, error.toString()));
    }

    @Override
    public void handleMutation(Mutation mutation, int size, int position, CommitLogDescriptor descriptor) {
        count++;
        bytes += size;
        byKeyspace.merge(mutation.getKeyspaceName(), 1, Integer::sum);
        if (printed != null && !printed.contains(mutation.getKeyspaceName())) {
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
