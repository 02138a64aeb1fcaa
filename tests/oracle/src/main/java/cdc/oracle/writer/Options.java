package cdc.oracle.writer;

import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/** {@code --name value} pairs of a command line. */
public final class Options {
    private final Map<String, String> given = new HashMap<>();

    /** Reads pairs; anything that is not one of the names in {@code known} is refused. */
    public Options(String[] arguments, String... known) {
        Collection<String> names = new TreeSet<>(Arrays.asList(known));
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i].startsWith("--") ? arguments[i].substring(2) : "";
            if (!names.contains(name) || i + 1 == arguments.length) {
                throw new IllegalArgumentException("unexpected argument " + arguments[i] + ": give a value to one of --"
                    + String.join(", --", names));
            }
            given.put(name, arguments[i + 1]);
        }
    }

    public String text(String name, String otherwise) {
        return given.getOrDefault(name, otherwise);
    }

    public long number(String name, long otherwise) {
        String text = given.get(name);
        return text == null ? otherwise : Long.parseLong(text);
    }

    /** A path that has to be given. */
    public Path path(String name) {
        String text = given.get(name);
        if (text == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return Paths.get(text).toAbsolutePath().normalize();
    }
}
