package io.cdcagent.flink.functions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cdcagent.flink.Vectors;
import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** The texts of numbers, against what a JDK 25 printed. */
class NumberTextTest {
    @Test
    void everyVectorOfALaterJdk() {
        List<JsonNode> vectors = Vectors.of("double_text.jsonl");
        assertTrue(vectors.size() > 300);
        for (JsonNode vector : vectors) {
            String bits = vector.get("bits").asText();
            String text =
                    vector.get("type").asText().equals("double")
                            ? new DoubleText()
                                    .eval(Double.longBitsToDouble(Long.parseUnsignedLong(bits, 16)))
                            : new FloatText()
                                    .eval(Float.intBitsToFloat(Integer.parseUnsignedInt(bits, 16)));
            assertEquals(vector.get("text").asText(), text, bits);
        }
    }

    /** JDK 17 and 25 agree on amounts; where they do not is in the vectors. */
    @Test
    void amountsAsTheJdkItself() {
        Random random = new Random(1);
        for (int round = 0; round < 100_000; round++) {
            double amount = random.nextInt(100_000_000) / 100.0;
            assertEquals(Double.toString(amount), DoubleText.of(amount));
            assertEquals(Float.toString((float) amount), FloatText.of((float) amount));
        }
    }

    @Test
    void everyTextIsItsNumber() {
        Random random = new Random(2);
        for (int round = 0; round < 100_000; round++) {
            double number = Double.longBitsToDouble(random.nextLong());
            if (!Double.isNaN(number)) {
                assertEquals(number, Double.parseDouble(DoubleText.of(number)));
            }
        }
    }

    @Test
    void nullStaysNull() {
        assertNull(new DoubleText().eval(null));
        assertNull(new FloatText().eval(null));
        assertNull(new DecimalText().eval(null));
        assertNull(new Base64Bytes().eval(null));
    }

    @Test
    void decimalsAsBigDecimalPrintsThem() {
        assertEquals("0E-8", new DecimalText().eval(new BigDecimal("0.00000000")));
        assertEquals("1.50", new DecimalText().eval(new BigDecimal("1.50")));
    }

    @Test
    void base64IsStrict() {
        assertEquals(2, new Base64Bytes().eval("AP8=").length);
        assertEquals(0, new Base64Bytes().eval("").length);
        for (String none : List.of("AP8", "AP8==", "AP_=", " AP8", "AP8=AP8=", "é==")) {
            assertNull(new Base64Bytes().eval(none), none);
        }
    }
}
