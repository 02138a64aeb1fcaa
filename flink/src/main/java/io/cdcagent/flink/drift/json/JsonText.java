package io.cdcagent.flink.drift.json;

import com.fasterxml.jackson.core.io.schubfach.DoubleToDecimal;
import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.Map;

/** Writes compact JSON byte for byte as the embedded engine does (serde_json). */
public final class JsonText {
    private static final String HEX = "0123456789abcdef";

    /** Exponents of the first digit that are written without `e`. */
    private static final int LEAST_FIXED = -5;

    private static final int MOST_FIXED = 15;

    private JsonText() {}

    /** The text of a value. */
    public static String of(JsonNode value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    /** A text in quotes. */
    public static String quoted(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2);
        quote(text, out);
        return out.toString();
    }

    private static void write(JsonNode value, StringBuilder out) {
        if (value.isObject()) {
            out.append('{');
            for (Iterator<Map.Entry<String, JsonNode>> left = value.fields(); left.hasNext(); ) {
                Map.Entry<String, JsonNode> field = left.next();
                quote(field.getKey(), out);
                out.append(':');
                write(field.getValue(), out);
                out.append(left.hasNext() ? "," : "");
            }
            out.append('}');
        } else if (value.isArray()) {
            out.append('[');
            for (Iterator<JsonNode> left = value.elements(); left.hasNext(); ) {
                write(left.next(), out);
                out.append(left.hasNext() ? "," : "");
            }
            out.append(']');
        } else if (value.isTextual()) {
            quote(value.textValue(), out);
        } else if (value.isDouble()) {
            out.append(number(value.doubleValue()));
        } else {
            out.append(value.asText());
        }
    }

    static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            switch (unit) {
                case '"':
                    out.append("\\\"");
                    break;
                case '\\':
                    out.append("\\\\");
                    break;
                case '\b':
                    out.append("\\b");
                    break;
                case '\f':
                    out.append("\\f");
                    break;
                case '\n':
                    out.append("\\n");
                    break;
                case '\r':
                    out.append("\\r");
                    break;
                case '\t':
                    out.append("\\t");
                    break;
                default:
                    if (unit < ' ') {
                        out.append("\\u00")
                                .append(HEX.charAt(unit >> 4))
                                .append(HEX.charAt(unit & 15));
                    } else {
                        out.append(unit);
                    }
            }
        }
        out.append('"');
    }

    /** The shortest digits; `1e+16` and `1e-6` where a point would stand far away. */
    static String number(double number) {
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = shortest(number);
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (exponent >= LEAST_FIXED && exponent <= MOST_FIXED) {
            String plain = decimal.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = decimal.unscaledValue().abs().toString();
        String point = digits.length() == 1 ? "" : "." + digits.substring(1);
        String sign = number < 0 ? "-" : "";
        return sign + digits.charAt(0) + point + (exponent < 0 ? "e" : "e+") + exponent;
    }

    /** Java has two digits where one says it: 4.9E-324 is 5e-324. */
    private static BigDecimal shortest(double number) {
        BigDecimal decimal = new BigDecimal(DoubleToDecimal.toString(number)).stripTrailingZeros();
        BigDecimal digit = decimal.round(new MathContext(1, RoundingMode.HALF_EVEN));
        return digit.doubleValue() == number ? digit : decimal;
    }
}
