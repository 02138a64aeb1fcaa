package io.cdcagent.flink.drift.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads JSON exactly as the embedded engine does (serde_json): strictly, at most 127 levels deep,
 * of two fields of one name the later value in the earlier place; whole numbers up to 64 bits, all
 * other numbers as doubles.
 */
public final class Json {
    private static final int DEEPEST = 127;
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(DEEPEST)
                                    .maxStringLength(Integer.MAX_VALUE)
                                    .maxNameLength(Integer.MAX_VALUE)
                                    .build())
                    .build();
    private static final BigInteger MOST = BigInteger.ONE.shiftLeft(64);
    private static final int SURELY_LONG = 18;

    private Json() {}

    /** The value that these bytes of UTF-8 are. */
    public static JsonNode read(byte[] utf8) throws NotJsonException {
        try {
            return read(
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .decode(ByteBuffer.wrap(utf8))
                            .toString());
        } catch (CharacterCodingException error) {
            throw new NotJsonException("it is no UTF-8");
        }
    }

    /** The value that this text is. */
    public static JsonNode read(String text) throws NotJsonException {
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                throw new NotJsonException("it is empty");
            }
            JsonNode value = value(parser);
            if (parser.nextToken() != null) {
                throw new NotJsonException("something stands behind it");
            }
            return value;
        } catch (IOException error) {
            throw new NotJsonException(error.getMessage());
        }
    }

    private static JsonNode value(JsonParser parser) throws IOException, NotJsonException {
        switch (parser.currentToken()) {
            case START_OBJECT:
                ObjectNode object = JsonNodeFactory.instance.objectNode();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = whole(parser.currentName());
                    parser.nextToken();
                    object.set(name, value(parser));
                }
                return object;
            case START_ARRAY:
                ArrayNode array = JsonNodeFactory.instance.arrayNode();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(parser));
                }
                return array;
            case VALUE_STRING:
                return TextNode.valueOf(whole(parser.getText()));
            case VALUE_NUMBER_INT:
                return integer(parser.getText());
            case VALUE_NUMBER_FLOAT:
                return fraction(parser.getText());
            case VALUE_TRUE:
                return BooleanNode.TRUE;
            case VALUE_FALSE:
                return BooleanNode.FALSE;
            case VALUE_NULL:
                return NullNode.instance;
            default:
                throw new NotJsonException("unexpected " + parser.currentToken());
        }
    }

    private static JsonNode integer(String digits) throws NotJsonException {
        if (digits.equals("-0")) {
            return DoubleNode.valueOf(-0.0);
        }
        if (digits.length() <= SURELY_LONG) {
            return LongNode.valueOf(Long.parseLong(digits));
        }
        BigInteger number = new BigInteger(digits);
        if (number.bitLength() < Long.SIZE) {
            return LongNode.valueOf(number.longValue());
        }
        boolean isUnsigned = number.signum() > 0 && number.compareTo(MOST) < 0;
        return isUnsigned ? BigIntegerNode.valueOf(number) : fraction(digits);
    }

    private static JsonNode fraction(String text) throws NotJsonException {
        double number = Double.parseDouble(text);
        if (Double.isInfinite(number)) {
            throw new NotJsonException("number out of range");
        }
        return DoubleNode.valueOf(number);
    }

    /** A text in which no surrogate stands alone: UTF-8 has none. */
    private static String whole(String text) throws NotJsonException {
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            boolean isPair =
                    Character.isHighSurrogate(unit)
                            && at + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(at + 1));
            if (!isPair) {
                throw new NotJsonException("a surrogate stands alone");
            }
            at++;
        }
        return text;
    }

    /** A field of an object; null where there is none, or no object. */
    public static JsonNode field(JsonNode value, String name) {
        return value == null ? null : value.get(name);
    }

    /** A field that is a text; null otherwise. */
    public static String text(JsonNode value, String name) {
        JsonNode found = field(value, name);
        return found == null ? null : found.textValue();
    }

    /** A field that is a whole number of 64 bits with a sign; null otherwise. */
    public static Long number(JsonNode value, String name) {
        return number(field(value, name));
    }

    /** A whole number of 64 bits with a sign; null otherwise. */
    public static Long number(JsonNode value) {
        return value instanceof LongNode ? (Long) value.longValue() : null;
    }

    /** A field that is an object; null otherwise. */
    public static ObjectNode object(JsonNode value, String name) {
        JsonNode found = field(value, name);
        return found instanceof ObjectNode ? (ObjectNode) found : null;
    }

    /** A field that is an array; an empty one otherwise. */
    public static ArrayNode array(JsonNode value, String name) {
        JsonNode found = field(value, name);
        return found instanceof ArrayNode
                ? (ArrayNode) found
                : JsonNodeFactory.instance.arrayNode();
    }

    /** Whether a field is this truth value. */
    public static boolean is(JsonNode value, String name, boolean wanted) {
        JsonNode found = field(value, name);
        return found != null && found.isBoolean() && found.booleanValue() == wanted;
    }
}
