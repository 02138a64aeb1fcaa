package io.cdcagent.flink.functions;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `BASE64_BYTES(text)`: the bytes that base64 stands for. Flink's own FROM_BASE64 makes a text of
 * them and loses those that are none.
 */
public final class Base64Bytes extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /** NULL for NULL, and for what is not base64 with padding (RFC 4648, section 4). */
    public byte[] eval(String text) {
        if (text == null || text.length() % 4 != 0) {
            return null;
        }
        try {
            return Base64.getDecoder().decode(text.getBytes(StandardCharsets.UTF_8));
        } catch (IllegalArgumentException error) {
            return null;
        }
    }
}
