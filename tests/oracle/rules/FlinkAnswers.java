import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Reads queries that return one row, one a line, and prints each value of the row on a line: as hexadecimal UTF-8 of its text, or NULL. A query that Flink
 * refuses gives one line "refused: ...".
 */
public final class FlinkAnswers {
    private FlinkAnswers() {
    }

    public static void main(String[] arguments) throws Exception {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
        tables.getConfig().set("table.local-time-zone", "UTC");
        tables.getConfig().set("parallelism.default", "1");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String query = in.readLine(); query != null; query = in.readLine()) {
            List<String> lines = new ArrayList<>();
            try (CloseableIterator<Row> rows = tables.executeSql(query).collect()) {
                while (rows.hasNext()) {
                    Row row = rows.next();
                    for (int position = 0; position < row.getArity(); position++) {
                        Object value = row.getField(position);
                        lines.add(value == null ? "NULL" : hex(value.toString()));
                    }
                }
            } catch (Exception error) {
                Throwable cause = error;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                lines.add("refused: " + String.valueOf(cause.getMessage()).lines().findFirst().orElse(""));
            }
            lines.forEach(System.out::println);
            System.out.println();
        }
    }

    private static String hex(String text) {
        StringBuilder digits = new StringBuilder("=");
        for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
            digits.append(String.format("%02x", one));
        }
        return digits.toString();
    }
}
