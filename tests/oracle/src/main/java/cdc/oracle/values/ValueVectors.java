package cdc.oracle.values;

import cdc.oracle.Offline;
import cdc.oracle.Version;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.cassandra.db.context.CounterContext;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.utils.ByteBufferUtil;
import org.apache.cassandra.utils.CounterId;

/** Writes the lines that {@link ValueText} reads: chosen and seeded random values over all types. Argument: the seed. */
public final class ValueVectors {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Name, field names, field types. */
    private static final String[][][] USER_TYPES = {
        {{"address"}, {"street", "number", "Zip Code"}, {"text", "int", "bigint"}},
        {{"person"}, {"name", "home", "tags"}, {"text", "frozen<address>", "frozen<set<text>>"}},
        {{"My T"}, {"a\"b", "v"}, {"text", "double"}},
    };

    /** Types that are built by chance, deep ones included; vectors only where the library knows them. */
    private static final String[] COMPOSED = {
        "list<int>", "list<text>", "set<uuid>", "set<text>", "map<text, int>", "map<int, text>", "map<inet, double>",
        "map<timestamp, boolean>", "map<uuid, blob>", "map<boolean, tinyint>", "frozen<list<decimal>>", "list<varint>",
        "list<duration>", "set<date>", "set<time>", "set<float>", "list<smallint>", "list<ascii>", "set<timeuuid>",
        "frozen<map<text, frozen<list<frozen<set<int>>>>>>", "list<frozen<map<int, frozen<tuple<text, double>>>>>",
        "map<frozen<list<int>>, text>", "map<frozen<tuple<int, text>>, frozen<set<date>>>", "map<frozen<address>, int>",
        "frozen<tuple<int, text, frozen<list<int>>>>", "frozen<tuple<double, float, boolean, inet>>",
        "frozen<tuple<frozen<tuple<int, int>>, frozen<tuple<text, blob>>>>", "list<frozen<tuple<int, text>>>",
        "address", "frozen<person>", "frozen<\"My T\">", "list<frozen<person>>", "frozen<tuple<frozen<address>, text>>",
        "vector<float, 3>", "vector<int, 2>", "vector<text, 2>", "vector<frozen<list<int>>, 2>", "vector<varint, 3>",
        "vector<vector<float, 2>, 2>", "list<frozen<vector<float, 2>>>", "map<text, frozen<vector<bigint, 2>>>",
        "vector<frozen<address>, 2>", "vector<boolean, 4>", "vector<smallint, 2>", "vector<frozen<tuple<int, text>>, 2>",
    };

    private static final int RANDOM_VALUES = 4;

    private final TypeTexts types = new TypeTexts();
    private final PrintStream out;
    private final Random random;
    private final RandomValues values;

    private ValueVectors(long seed, PrintStream out) {
        this.random = new Random(seed);
        this.values = new RandomValues(random);
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        Offline.start(Map.of(), null);
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        new ValueVectors(Long.parseLong(args[0]), out).run();
        out.flush();
        System.exit(0);
    }

    private void run() throws JsonProcessingException {
        defineTypes();
        for (Map.Entry<String, List<String>> chosen : ChosenValues.TEXTS.entrySet()) {
            AbstractType<Object> type = types.parse(chosen.getKey());
            for (String text : chosen.getValue()) {
                print(chosen.getKey(), type.fromString(text));
            }
        }
        for (String[] chosen : ChosenValues.BYTES) {
            if (!chosen[0].startsWith("vector") || vectors()) {
                print(chosen[0], ByteBufferUtil.hexToBytes(chosen[1]));
            }
        }
        for (String type : ChosenValues.TEXTS.keySet()) {
            random(type);
        }
        for (String type : COMPOSED) {
            if (!type.contains("vector") || vectors()) {
                random(type);
            }
        }
        counters();
    }

    private static boolean vectors() {
        return !Version.NAME.equals("4.1");
    }

    private void defineTypes() throws JsonProcessingException {
        ObjectNode line = JSON.createObjectNode();
        ArrayNode rows = line.putArray("types");
        for (String[][] type : USER_TYPES) {
            ObjectNode row = rows.addObject();
            row.put("keyspace_name", TypeTexts.KEYSPACE);
            row.put("type_name", type[0][0]);
            List.of(type[1]).forEach(row.putArray("field_names")::add);
            List.of(type[2]).forEach(row.putArray("field_types")::add);
        }
        types.define(rows);
        out.println(JSON.writeValueAsString(line));
    }

    private void random(String type) throws JsonProcessingException {
        Set<ByteBuffer> found = new LinkedHashSet<>();
        for (int i = 0; i < RANDOM_VALUES; i++) {
            AbstractType<Object> parsed = types.parse(type);
            found.add(parsed.decompose(values.value(parsed)));
        }
        for (ByteBuffer value : found) {
            print(type, value);
        }
    }

    private void counters() throws JsonProcessingException {
        CounterContext contexts = CounterContext.instance();
        print("counter", contexts.createGlobal(id(), 1, 5));
        print("counter", contexts.createGlobal(id(), Long.MAX_VALUE, Long.MIN_VALUE));
        CounterContext.ContextState local = CounterContext.ContextState.allocate(0, 1, 0);
        local.writeLocal(id(), 4, -7);
        print("counter", local.context);
        print("counter", contexts.createRemote(id(), 3, 9));
        print("counter", contexts.createUpdate(12));
        for (int shards = 2; shards < 6; shards++) {
            ByteBuffer context = contexts.createGlobal(id(), random.nextInt(1000), random.nextInt());
            for (int i = 1; i < shards; i++) {
                ByteBuffer next = i % 2 == 0
                        ? contexts.createRemote(id(), random.nextInt(1000), random.nextLong())
                        : contexts.createGlobal(id(), random.nextLong() >>> 1, random.nextInt());
                context = contexts.merge(context, next);
            }
            print("counter", context);
        }
    }

    private CounterId id() {
        return CounterId.fromInt(random.nextInt(1 << 16));
    }

    private void print(String type, ByteBuffer value) throws JsonProcessingException {
        ObjectNode line = JSON.createObjectNode();
        line.put("type", type);
        line.put("value", ByteBufferUtil.bytesToHex(value));
        out.println(JSON.writeValueAsString(line));
    }
}
