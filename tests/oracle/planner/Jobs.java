import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Jobs of folders of generated SQL on the real planner.
 *
 * <pre>
 * plan FOLDER…                      plans every statement; prints a line a job, and what is refused
 * verdicts (FOLDER RECORDS)…        runs the rules of data quality jobs, each over a file of records; prints what they say of each
 * audits, hashes (FOLDER RECORDS)…  the same with audit or hash jobs; prints what they write
 * drifts FOLDER ONPREM CLOUD        05_drift.sql over a file of records of each side; prints what it writes, then what matches
 * </pre>
 */
public final class Jobs {
    private static final Set<String> UPSERTS = Set.of("I", "I,UA");
    private static final Pattern CHANGES = Pattern.compile("changelogMode=\\[([^]]*)\\]");
    private static final Pattern BEAT = Pattern.compile("\"wm_us\":1735689600(\\d{6}),");

    private Jobs() {
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("plan")) {
            int wrong = 0;
            for (int position = 1; position < arguments.length; position++) {
                for (Map.Entry<String, List<String>> job : jobs(Path.of(arguments[position])).entrySet()) {
                    wrong += plan(job.getKey(), job.getValue()) ? 0 : 1;
                }
            }
            System.exit(wrong == 0 ? 0 : 1);
        }
        if (arguments[0].equals("drifts")) {
            drifts(Path.of(arguments[1]), Map.of("onprem", Path.of(arguments[2]), "cloud", Path.of(arguments[3])));
            System.exit(0);
        }
        for (int position = 1; position < arguments.length; position += 2) {
            Path folder = Path.of(arguments[position]);
            Path records = Path.of(arguments[position + 1]);
            switch (arguments[0]) {
                case "audits":
                    written(folder, records, "audit-");
                    break;
                case "hashes":
                    written(folder, records, "hash-");
                    break;
                default:
                    verdicts(folder, records);
            }
        }
        System.exit(0);
    }

    /** Statements by the name of their job; each file of a folder belongs to the job that was named last. */
    private static Map<String, List<String>> jobs(Path folder) throws IOException {
        Map<String, List<String>> jobs = new LinkedHashMap<>();
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> file.toString().endsWith(".sql")).sorted().collect(Collectors.toList());
        }
        String name = null;
        for (Path file : files) {
            for (String statement : statements(Files.readString(file))) {
                if (statement.startsWith("SET 'pipeline.name'")) {
                    name = statement.split("'")[3];
                }
                jobs.computeIfAbsent(name, key -> new ArrayList<>()).add(statement);
            }
        }
        return jobs;
    }

    /** Splits at semicolons outside of texts, names and comments; those of a statement set stay in it. */
    private static List<String> statements(String text) {
        List<String> found = new ArrayList<>();
        StringBuilder statement = new StringBuilder();
        int position = 0;
        while (position < text.length()) {
            char one = text.charAt(position);
            if (text.startsWith("--", position)) {
                int end = text.indexOf('\n', position);
                position = end < 0 ? text.length() : end;
                continue;
            }
            if (one == '\'' || one == '`') {
                int end = text.indexOf(one, position + 1);
                statement.append(text, position, end + 1);
                position = end + 1;
                continue;
            }
            String soFar = statement.toString().strip();
            boolean isInSet = soFar.startsWith("EXECUTE STATEMENT SET") && !soFar.endsWith("END");
            if (one == ';' && !isInSet) {
                found.add(soFar);
                statement.setLength(0);
            } else {
                statement.append(one);
            }
            position++;
        }
        return found;
    }

    private static TableEnvironment environment() {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        tables.getConfig().set("parallelism.default", "1");
        return tables;
    }

    private static void set(TableEnvironment tables, String statement) {
        String[] parts = statement.split("'");
        tables.getConfig().set(parts[1], parts[3]);
    }

    private static boolean plan(String job, List<String> statements) {
        TableEnvironment tables = environment();
        int planned = 0;
        for (String statement : statements) {
            try {
                if (statement.startsWith("SET ")) {
                    set(tables, statement);
                } else if (statement.startsWith("INSERT ") || statement.startsWith("EXECUTE STATEMENT SET")) {
                    planned++;
                    String problem = problem(tables, statement);
                    if (problem != null) {
                        System.out.println(job + ": " + problem);
                        return false;
                    }
                } else {
                    tables.executeSql(statement);
                }
            } catch (Exception error) {
                System.out.println(job + ": " + statement.lines().findFirst().orElse("") + ": " + cause(error));
                return false;
            }
        }
        System.out.println(job + ": " + statements.size() + " statements, " + planned + " planned");
        return planned > 0;
    }

    /** What a plan must not have. */
    private static String problem(TableEnvironment tables, String statement) {
        String plan = explained(tables, statement, "");
        String execution = plan.substring(plan.indexOf("== Optimized Execution Plan =="));
        if (System.getenv("SHOW_PLANS") != null) {
            System.out.println(execution);
        }
        boolean isDrift = statement.contains("drift-") && statement.contains("+");
        long sources = execution.lines().filter(line -> line.contains("TableSourceScan(")).count();
        if (sources != (isDrift ? 2 : 1)) {
            return "the source is read " + sources + " times\n" + execution;
        }
        if (isDrift && !execution.contains("IntervalJoin(joinType=[FullOuterJoin]")) {
            return "no interval join\n" + execution;
        }
        for (String unwanted : List.of("upsertMaterialize=[true]", "ChangelogNormalize")) {
            if (execution.contains(unwanted)) {
                return unwanted + "\n" + execution;
            }
        }
        return takenBack(explained(tables, statement, "CHANGELOG_MODE "));
    }

    /** A sink that is given rows which were: upsert-kafka writes a tombstone for each. Cassandra's sink leaves them out. */
    private static String takenBack(String plan) {
        String sink = "";
        for (String line : (Iterable<String>) plan.lines()::iterator) {
            Matcher changes = CHANGES.matcher(line);
            if (line.startsWith("Sink(")) {
                sink = line.replaceFirst("\\],.*", "");
            } else if (!sink.isEmpty() && changes.find()) {
                if (!UPSERTS.contains(changes.group(1)) && !sink.endsWith(".dq_counts")) {
                    return sink + " gets " + changes.group();
                }
                sink = "";
            }
        }
        return null;
    }

    private static String explained(TableEnvironment tables, String statement, String details) {
        try (CloseableIterator<Row> rows = tables.executeSql("EXPLAIN " + details + statement.replaceFirst("^EXECUTE ", "")).collect()) {
            return String.valueOf(rows.next().getField(0));
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    /** Records come from a file in place of Kafka: JSON lines with the columns of the source, bytes in base64. */
    private static void verdicts(Path folder, Path records) throws Exception {
        Map.Entry<String, List<String>> job = job(folder, "dq-");
        TableEnvironment tables = environment();
        String insert = defined(tables, job.getKey(), job.getValue(), records);
        String query = "SELECT `record.offset`, `verdict.failed`, `verdict.warned`, CASE WHEN `verdict.failed` = '' THEN " + hash(insert) + " END FROM `" + job.getKey() + ".judged`";
        try (CloseableIterator<Row> rows = tables.executeSql(query).collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                System.out.println(row.getField(0) + "\t" + row.getField(1) + "\t" + row.getField(2) + "\t" + row.getField(3));
            }
        }
        System.out.println("end");
    }

    /** What a job writes of each record: the record's number, which it carries as the header `n`, then key, time (of an audit) and value; bytes and texts in base64. */
    private static void written(Path folder, Path records, String kind) throws Exception {
        Map.Entry<String, List<String>> job = job(folder, kind);
        TableEnvironment tables = environment();
        String insert = defined(tables, job.getKey(), job.getValue(), records);
        Base64.Encoder base64 = Base64.getEncoder();
        try (CloseableIterator<Row> rows = tables.executeSql(insert.substring(insert.indexOf("SELECT"))).collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                byte[] key = (byte[]) row.getField(0);
                byte[] header = (byte[]) ((Map<?, ?>) row.getField(1)).get("n");
                // A heartbeat has a header of its own; the number of one of events.py stands in its watermark.
                Matcher beat = BEAT.matcher((String) row.getField(row.getArity() - 1));
                if (header == null && !beat.find()) {
                    continue;
                }
                String number = header == null ? String.valueOf(Integer.parseInt(beat.group(1))) : new String(header, StandardCharsets.UTF_8);
                StringBuilder line = new StringBuilder(number);
                line.append('\t').append(key == null ? "null" : base64.encodeToString(key));
                for (int position = 2; position < row.getArity(); position++) {
                    Object field = row.getField(position);
                    line.append('\t').append(field instanceof Instant ? ((Instant) field).toEpochMilli() : base64.encodeToString(((String) field).getBytes(StandardCharsets.UTF_8)));
                }
                System.out.println(line);
            }
        }
        System.out.println("end");
    }

    /** Keys and verdicts that the file for notebooks writes, then the event ids of both sides of what matches. */
    private static void drifts(Path folder, Map<String, Path> sides) throws Exception {
        Map.Entry<String, List<String>> job = job(folder, "drift-onprem+");
        TableEnvironment tables = environment();
        String insert = "";
        for (String statement : job.getValue()) {
            String source = sides.keySet().stream().filter(side -> statement.startsWith("CREATE TEMPORARY TABLE `" + job.getKey() + "." + side + ".source`")).findFirst().orElse(null);
            if (source != null) {
                tables.executeSql("CREATE TEMPORARY TABLE `" + job.getKey() + "." + source + ".source` (`record.key` STRING, `record.value` STRING, `record.topic` STRING,"
                        + " `record.partition` INT, `record.offset` BIGINT, `record.ms` BIGINT, `kafka_ts` AS TO_TIMESTAMP_LTZ(`record.ms`, 3),"
                        + statement.lines().filter(line -> line.strip().startsWith("WATERMARK")).findFirst().orElseThrow()
                        + ") WITH ('connector' = 'filesystem', 'path' = '" + sides.get(source).toUri() + "', 'format' = 'json')");
            } else if (statement.startsWith("SET 'table.")) {
                set(tables, statement);
            } else if (statement.startsWith("INSERT ")) {
                insert = statement;
            } else if (!statement.startsWith("SET ")) {
                tables.executeSql(statement);
            }
        }
        print(tables, insert.substring(insert.indexOf("SELECT")));
        print(tables, "SELECT `onprem_event_id`, `cloud_event_id` FROM `" + job.getKey() + ".verdicts` WHERE `status` = 'MATCH'");
    }

    /** The rows of a query, two texts a line, then `end`. */
    private static void print(TableEnvironment tables, String query) throws Exception {
        try (CloseableIterator<Row> rows = tables.executeSql(query).collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                System.out.println(row.getField(0) + "\t" + row.getField(1));
            }
        }
        System.out.println("end");
    }

    /** The job of a folder whose name begins so. */
    private static Map.Entry<String, List<String>> job(Path folder, String kind) throws IOException {
        return jobs(folder).entrySet().stream().filter(job -> job.getKey().startsWith(kind)).findFirst().orElseThrow();
    }

    /** Everything of a job but what starts it, which is returned. */
    private static String defined(TableEnvironment tables, String job, List<String> statements, Path records) {
        String insert = "";
        for (String statement : statements) {
            if (statement.startsWith("SET 'table.") && !statement.contains("mini-batch")) {
                set(tables, statement);
            } else if (statement.startsWith("CREATE TEMPORARY TABLE `" + job + ".source`")) {
                tables.executeSql("CREATE TEMPORARY TABLE `" + job + ".source` (`record.key` BYTES, `record.value` BYTES, `record.topic` STRING,"
                        + " `record.partition` INT, `record.offset` BIGINT, `record.ms` BIGINT, `record.timestamp` AS TO_TIMESTAMP_LTZ(`record.ms`, 3),"
                        + " `record.headers` MAP<STRING, BYTES>) WITH ('connector' = 'filesystem', 'path' = '" + records.toUri() + "', 'format' = 'json')");
            } else if (statement.startsWith("EXECUTE STATEMENT SET") || statement.startsWith("INSERT ")) {
                insert = statement;
            } else if (!statement.startsWith("SET ")) {
                tables.executeSql(statement);
            }
        }
        return insert;
    }

    /** The SQL of the row hash in the INSERT of valid rows: each value of it stands on a line. */
    private static String hash(String insert) {
        String values = insert.substring(insert.indexOf("SELECT"), insert.indexOf("FROM"));
        return values.lines().map(String::strip).filter(line -> line.contains("ROW_HASH(") || line.contains("SHA256(")).findFirst()
                .map(line -> line.replaceFirst(",$", "")).orElse("CAST(NULL AS STRING)");
    }

    private static String cause(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable one = error; one != null; one = one.getCause()) {
            text.append(String.valueOf(one.getMessage()).lines().limit(12).collect(Collectors.joining("\n"))).append(" <- ");
        }
        return text.toString();
    }
}
