package io.cdcagent.flink.cassandra;

import io.cdcagent.flink.cassandra.CassandraOptions.SecretOptions;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;

/**
 * A user's name or password, or where the TaskManager finds it. Its text is read there, when a
 * writer starts.
 */
final class Secret implements Serializable {
    private static final long serialVersionUID = 1L;

    private enum Kind {
        TEXT,
        ENVIRONMENT,
        FILE
    }

    private final Kind kind;
    private final String key;
    private final String given;

    private Secret(Kind kind, String key, String given) {
        this.kind = kind;
        this.key = key;
        this.given = given;
    }

    /**
     * What the options say.
     *
     * @return null when none of them is given
     * @throws ValidationException when more than one is given
     */
    static Secret of(ReadableConfig options, SecretOptions keys) {
        List<Secret> found = new ArrayList<>();
        add(found, options, Kind.TEXT, keys.text);
        add(found, options, Kind.ENVIRONMENT, keys.environment);
        add(found, options, Kind.FILE, keys.file);
        if (found.size() > 1) {
            throw new ValidationException(
                    String.format(
                            "'%s' and '%s' are given; give one of them.",
                            found.get(0).key, found.get(1).key));
        }
        return found.isEmpty() ? null : found.get(0);
    }

    private static void add(
            List<Secret> found, ReadableConfig options, Kind kind, ConfigOption<String> option) {
        if (option != null) {
            options.getOptional(option)
                    .ifPresent(given -> found.add(new Secret(kind, option.key(), given)));
        }
    }

    /**
     * Reads it.
     *
     * @throws RefusedException when the variable or file is not there or empty
     */
    String read() {
        switch (kind) {
            case TEXT:
                return given;
            case ENVIRONMENT:
                return notEmpty(System.getenv(given));
            default:
                try {
                    return notEmpty(
                            Files.readString(Path.of(given)).lines().findFirst().orElse(""));
                } catch (IOException error) {
                    throw new RefusedException(
                            String.format(
                                    "'%s': %s cannot be read on this TaskManager (%s). Put it there, readable for the user of Flink.",
                                    key, given, error.getClass().getSimpleName()));
                }
        }
    }

    private String notEmpty(String text) {
        if (text == null || text.isEmpty()) {
            throw new RefusedException(
                    String.format(
                            "'%s': %s is not set, or empty, on this TaskManager. Set it before Flink starts.",
                            key, given));
        }
        return text;
    }

    /** Where it is, never what it is. */
    @Override
    public String toString() {
        return kind == Kind.TEXT ? key : key + " " + given;
    }
}
