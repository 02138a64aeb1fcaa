package io.cdcagent.flink.functions;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;

/**
 * `ROW_HASH('keyspace.table', column, …)`: the `row_hash` v1 of docs/identity.md. The hashed
 * columns stand in hash order; the type of each says how it is written.
 */
public final class RowHash extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    /**
     * 64 lower-case hexadecimal digits.
     *
     * @throws IllegalArgumentException without a table
     */
    public String eval(String table, Object... columns) {
        if (table == null) {
            throw new IllegalArgumentException(
                    "ROW_HASH: the table is NULL; its first argument is 'keyspace.table'.");
        }
        StringBuilder text = new StringBuilder("v1;").append(table).append(';');
        for (Object column : columns) {
            if (column == null) {
                text.append('~');
            } else {
                String field = HashText.of(column);
                text.append(field.codePointCount(0, field.length())).append(':').append(field);
            }
        }
        return HashText.hex(sha256(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory types) {
        return TypeInference.newBuilder()
                .inputTypeStrategy(new HashedColumns())
                .outputTypeStrategy(TypeStrategies.explicit(DataTypes.STRING().notNull()))
                .build();
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("Every JVM has SHA-256.", error);
        }
    }
}
