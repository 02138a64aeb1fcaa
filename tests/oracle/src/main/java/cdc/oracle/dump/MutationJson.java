package cdc.oracle.dump;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.cassandra.db.ClusteringPrefix;
import org.apache.cassandra.db.DeletionTime;
import org.apache.cassandra.db.LivenessInfo;
import org.apache.cassandra.db.Mutation;
import org.apache.cassandra.db.partitions.PartitionUpdate;
import org.apache.cassandra.db.rows.Cell;
import org.apache.cassandra.db.rows.ColumnData;
import org.apache.cassandra.db.rows.ComplexColumnData;
import org.apache.cassandra.db.rows.RangeTombstoneBoundMarker;
import org.apache.cassandra.db.rows.RangeTombstoneBoundaryMarker;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.db.rows.Unfiltered;
import org.apache.cassandra.db.rows.UnfilteredRowIterator;
import org.apache.cassandra.utils.ByteBufferUtil;

/** Writes a mutation as canonical JSON; the shape is described in README.md. */
final class MutationJson {
    private final JsonGenerator json;

    MutationJson(JsonGenerator json) {
        this.json = json;
    }

    void write(String segment, int position, int size, Mutation mutation) throws IOException {
        json.writeStartObject();
        json.writeStringField("segment", segment);
        json.writeNumberField("pos", position);
        json.writeNumberField("size", size);
        json.writeArrayFieldStart("updates");
        for (PartitionUpdate update : mutation.getPartitionUpdates()) {
            write(update);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void write(PartitionUpdate update) throws IOException {
        json.writeStartObject();
        json.writeStringField("table_id", update.metadata().id.toString());
        json.writeStringField("keyspace", update.metadata().keyspace);
        json.writeStringField("table", update.metadata().name);
        json.writeStringField("key", hex(update.partitionKey().getKey()));
        try (UnfilteredRowIterator partition = update.unfilteredIterator()) {
            deletion("deletion", partition.partitionLevelDeletion());
            if (!partition.staticRow().isEmpty()) {
                json.writeFieldName("static");
                row(partition.staticRow(), false);
            }
            json.writeArrayFieldStart("unfiltereds");
            while (partition.hasNext()) {
                Unfiltered unfiltered = partition.next();
                if (unfiltered.isRow()) {
                    row((Row) unfiltered, true);
                } else {
                    marker(unfiltered);
                }
            }
            json.writeEndArray();
        }
        json.writeEndObject();
    }

    private void row(Row row, boolean withClustering) throws IOException {
        json.writeStartObject();
        if (withClustering) {
            clustering(row.clustering());
        }
        liveness(row.primaryKeyLivenessInfo());
        deletion("deletion", row.deletion().time());
        json.writeArrayFieldStart("columns");
        for (ColumnData column : row) {
            json.writeStartObject();
            json.writeStringField("name", column.column().name.toString());
            if (column.column().isComplex()) {
                ComplexColumnData complex = (ComplexColumnData) column;
                deletion("deletion", complex.complexDeletion());
                json.writeArrayFieldStart("cells");
                for (Cell<?> cell : complex) {
                    cell(cell);
                }
                json.writeEndArray();
            } else {
                json.writeFieldName("cell");
                cell((Cell<?>) column);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void liveness(LivenessInfo liveness) throws IOException {
        if (liveness.isEmpty()) {
            return;
        }
        json.writeObjectFieldStart("liveness");
        json.writeNumberField("ts", liveness.timestamp());
        if (liveness.isExpiring()) {
            json.writeNumberField("ttl", liveness.ttl());
            json.writeNumberField("ldt", unsigned(liveness.localExpirationTime()));
        }
        json.writeEndObject();
    }

    private void cell(Cell<?> cell) throws IOException {
        json.writeStartObject();
        if (cell.path() != null) {
            json.writeStringField("path", hex(cell.path().get(0)));
        }
        json.writeNumberField("ts", cell.timestamp());
        if (cell.isTombstone() || cell.isExpiring()) {
            json.writeNumberField("ldt", unsigned(cell.localDeletionTime()));
        }
        if (cell.isExpiring()) {
            json.writeNumberField("ttl", cell.ttl());
        }
        if (cell.isTombstone()) {
            json.writeBooleanField("deleted", true);
        } else {
            json.writeStringField("value", hex(cell.buffer()));
        }
        json.writeEndObject();
    }

    private void marker(Unfiltered unfiltered) throws IOException {
        json.writeStartObject();
        json.writeStringField("kind", unfiltered.clustering().kind().name());
        clustering(unfiltered.clustering());
        if (unfiltered instanceof RangeTombstoneBoundaryMarker) {
            RangeTombstoneBoundaryMarker boundary = (RangeTombstoneBoundaryMarker) unfiltered;
            deletion("end", boundary.endDeletionTime());
            deletion("start", boundary.startDeletionTime());
        } else {
            deletion("deletion", ((RangeTombstoneBoundMarker) unfiltered).deletionTime());
        }
        json.writeEndObject();
    }

    private void clustering(ClusteringPrefix<?> clustering) throws IOException {
        json.writeArrayFieldStart("clustering");
        for (int i = 0; i < clustering.size(); i++) {
            ByteBuffer value = clustering.bufferAt(i);
            if (value == null) {
                json.writeNull();
            } else {
                json.writeString(hex(value));
            }
        }
        json.writeEndArray();
    }

    /**
     * Nothing for a deletion that deletes nothing. Its timestamp alone decides: no statement can carry it, and releases
     * disagree on the local deletion time that goes with it.
     */
    private void deletion(String name, DeletionTime deletion) throws IOException {
        if (deletion.markedForDeleteAt() == Long.MIN_VALUE) {
            return;
        }
        json.writeObjectFieldStart(name);
        json.writeNumberField("ts", deletion.markedForDeleteAt());
        json.writeNumberField("ldt", unsigned(deletion.localDeletionTime()));
        json.writeEndObject();
    }

    /** Seconds; an int in 4.1, which can be negative, and a long in 5.0: the 32 bits of the log in both. */
    private static long unsigned(long localDeletionTime) {
        return localDeletionTime & 0xffffffffL;
    }

    private static String hex(ByteBuffer bytes) {
        return ByteBufferUtil.bytesToHex(bytes);
    }
}
