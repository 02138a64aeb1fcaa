package cdc.oracle.writer;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.cassandra.cql3.QueryProcessor;
import org.apache.cassandra.cql3.UntypedResultSet;

/** The schema as one JSON object: an array of rows, as SELECT JSON prints them, for each table of system_schema. */
final class SchemaExport {
    private static final String[] TABLES = {"keyspaces", "tables", "columns", "dropped_columns", "types", "views"};

    private SchemaExport() {
    }

    static void write(Path file) throws IOException {
        try (Writer out = Files.newBufferedWriter(file)) {
            String separator = "{";
            for (String table : TABLES) {
                out.write(separator + "\n\"" + table + "\": [");
                String comma = "\n";
                for (UntypedResultSet.Row row : QueryProcessor.executeInternal("SELECT JSON * FROM system_schema." + table)) {
                    out.write(comma + row.getString("[json]"));
                    comma = ",\n";
                }
                out.write("\n]");
                separator = ",";
            }
            out.write("\n}\n");
        }
    }
}
