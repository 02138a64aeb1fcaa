package cdc.oracle.values;

import cdc.oracle.Offline;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.cassandra.cql3.Duration;
import org.apache.cassandra.db.context.CounterContext;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.db.marshal.ByteBufferAccessor;
import org.apache.cassandra.transport.ProtocolVersion;
import org.apache.cassandra.utils.ByteBufferUtil;

/**
 * What Cassandra's own types say a value is. Lines of JSON in, the same lines with more fields out:
 *
 * <p>{@code {"types":[rows of system_schema.types]}} defines user types for the lines after it. {@code
 * {"type":"...","value":"<hex>"}} gets "string" (AbstractType.getString), "json" (AbstractType.toJSONString) and, for
 * scalar types, "java": the value as text by its Java class alone. Where a method throws, the field is null. A line of type
 * counter holds a counter context and gets "total" and "shards".
 */
public final class ValueText {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TypeTexts types = new TypeTexts();

    private ValueText() {}

    public static void main(String[] args) throws IOException {
        Offline.start(Map.of(), null);
        ValueText values = new ValueText();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode node = (ObjectNode) JSON.readTree(line);
            if (node.has("types")) {
                values.types.define(node.get("types"));
            } else {
                values.describe(node);
            }
            out.println(JSON.writeValueAsString(node));
        }
        out.flush();
        System.exit(0);
    }

    private void describe(ObjectNode node) {
        ByteBuffer value = ByteBufferUtil.hexToBytes(node.get("value").asText());
        String name = node.get("type").asText();
        if (name.equals("counter")) {
            counter(node, value);
            return;
        }
        AbstractType<Object> type = types.parse(name);
        node.put("string", attempt(() -> type.getString(value)));
        node.put("json", attempt(() -> type.toJSONString(value, ProtocolVersion.V5)));
        if (value.hasRemaining()) {
            String text = attempt(() -> java(name, type.compose(value.duplicate())));
            if (text != null) {
                node.put("java", text);
            }
        }
    }

    /** Null for types without a Java class whose text says something of its own. */
    private static String java(String type, Object value) {
        if (value instanceof Duration) {
            Duration duration = (Duration) value;
            return duration.getMonths() + " " + duration.getDays() + " " + duration.getNanoseconds();
        }
        if (value instanceof Date) {
            return Long.toString(((Date) value).getTime());
        }
        if (type.equals("date")) {
            // the log counts days from the smallest 32-bit number
            return Integer.toString((Integer) value + Integer.MIN_VALUE);
        }
        boolean number = value instanceof Double || value instanceof Float || value instanceof BigDecimal;
        return number || value instanceof BigInteger || type.equals("time") ? value.toString() : null;
    }

    private static void counter(ObjectNode node, ByteBuffer context) {
        node.put("total", CounterContext.instance().total(context, ByteBufferAccessor.instance));
        ArrayNode shards = node.putArray("shards");
        CounterContext.ContextState state = CounterContext.ContextState.wrap(context);
        while (state.hasRemaining()) {
            ObjectNode shard = shards.addObject();
            shard.put("kind", state.isGlobal() ? "global" : state.isLocal() ? "local" : "remote");
            shard.put("id", state.getCounterId().toString());
            shard.put("clock", state.getClock());
            shard.put("count", state.getCount());
            state.moveToNext();
        }
    }

    private static String attempt(Supplier<String> text) {
        try {
            return text.get();
        } catch (RuntimeException e) {
            return null;
        }
    }
}
