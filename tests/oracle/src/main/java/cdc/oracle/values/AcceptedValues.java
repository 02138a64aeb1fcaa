package cdc.oracle.values;

import cdc.oracle.Offline;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.cassandra.db.marshal.AbstractType;
import org.apache.cassandra.serializers.MarshalException;
import org.apache.cassandra.utils.ByteBufferUtil;

/**
 * Which bytes Cassandra accepts from a client as a value, whether or not it can print them: a line of JSON for each with
 * "type", "value" (hex), "accepted" (AbstractType.validate) and "string" (AbstractType.getString, null where it throws).
 */
public final class AcceptedValues {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Bytes at the edges of what UTF-8 allows at each place of a sequence. */
    private static final String[][] TEXT = {
        {"41", "80", "c0", "c1", "c2", "e0", "e1", "ed", "ef", "f0", "f1", "f4", "f5", "f7", "f8"},
        {"31", "41", "80", "8f", "90", "9f", "a0", "bf", "c0"},
        {"41", "80", "bf"},
        {"41", "80"},
    };

    private static final String[][] OTHERS = {
        // surrogate pairs, halves in the wrong order, a half alone among other text
        {"text", "eda0bdedb880"}, {"text", "edb880eda0bd"}, {"text", "61eda0bd62"}, {"text", "eda0bdeda0bdedb880"},
        {"text", "61c08062"}, {"text", "eda0bd"}, {"text", "edb880"}, {"text", "efbfbd"},
        {"ascii", "7f"}, {"ascii", "80"}, {"ascii", "c3a9"}, {"ascii", "c080"},
        // a scale without digits
        {"decimal", "00000000"}, {"decimal", "00000007"}, {"decimal", "ffffffff"}, {"decimal", "000000"}, {"decimal", "0000000000"},
        {"duration", "020202"}, {"duration", "02020202"}, {"duration", "0202"},
        {"frozen<list<int>>", "ffffffff"}, {"frozen<set<int>>", "80000000"}, {"frozen<map<int, int>>", "ffffffff"},
        {"frozen<list<int>>", "ffffffff00000004"}, {"frozen<list<int>>", "00000001ffffffff"},
    };

    private final TypeTexts types = new TypeTexts();
    private final PrintStream out;

    private AcceptedValues(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) throws IOException {
        Offline.start(Map.of(), null);
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        AcceptedValues values = new AcceptedValues(out);
        for (int length = 1; length <= TEXT.length; length++) {
            values.texts("", length, 0);
        }
        for (String[] other : OTHERS) {
            values.print(other[0], other[1]);
        }
        out.flush();
        System.exit(0);
    }

    private void texts(String start, int length, int place) throws JsonProcessingException {
        if (place == length) {
            print("text", start);
            return;
        }
        for (String next : TEXT[place]) {
            texts(start + next, length, place + 1);
        }
    }

    private void print(String name, String hex) throws JsonProcessingException {
        AbstractType<?> type = types.parse(name);
        ByteBuffer value = ByteBufferUtil.hexToBytes(hex);
        ObjectNode line = JSON.createObjectNode();
        line.put("type", name);
        line.put("value", hex);
        line.put("accepted", accepts(type, value.duplicate()));
        line.put("string", text(type, value));
        out.println(JSON.writeValueAsString(line));
    }

    private static boolean accepts(AbstractType<?> type, ByteBuffer value) {
        try {
            type.validate(value);
            return true;
        } catch (MarshalException e) {
            return false;
        }
    }

    private static String text(AbstractType<?> type, ByteBuffer value) {
        try {
            return type.getString(value);
        } catch (RuntimeException e) {
            return null;
        }
    }
}
