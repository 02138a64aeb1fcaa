package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.DataTypes;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** Texts into text, ascii, uuid, timeuuid and inet. */
final class TextConverters {
    private static final Pattern UUID_FORM =
            Pattern.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}");

    private TextConverters() {}

    /** Null where a text is none of the type's forms. */
    static UnaryOperator<Object> to(DataType to) {
        if (to.equals(DataTypes.TEXT)) {
            return Object::toString;
        }
        if (to.equals(DataTypes.ASCII)) {
            return value -> ascii(value.toString());
        }
        if (to.equals(DataTypes.UUID)) {
            return value -> uuid(value.toString());
        }
        if (to.equals(DataTypes.TIMEUUID)) {
            return value -> timeUuid(value.toString());
        }
        return to.equals(DataTypes.INET) ? value -> inet(value.toString()) : null;
    }

    private static String ascii(String text) {
        if (!StandardCharsets.US_ASCII.newEncoder().canEncode(text)) {
            throw new IllegalArgumentException();
        }
        return text;
    }

    /** Stricter than Java's reader, which also takes `1-2-3-4-5`. */
    private static UUID uuid(String text) {
        if (!UUID_FORM.matcher(text).matches()) {
            throw new IllegalArgumentException();
        }
        return UUID.fromString(text);
    }

    private static UUID timeUuid(String text) {
        UUID found = uuid(text);
        if (found.version() != 1) {
            throw new IllegalArgumentException();
        }
        return found;
    }

    /** An address in digits; a name is never looked up. */
    private static InetAddress inet(String text) {
        byte[] address = NetUtil.createByteArrayFromIpAddressString(text);
        try {
            if (address != null) {
                return InetAddress.getByAddress(address);
            }
        } catch (UnknownHostException error) {
            throw new IllegalArgumentException(error.getClass().getSimpleName());
        }
        throw new IllegalArgumentException();
    }
}
