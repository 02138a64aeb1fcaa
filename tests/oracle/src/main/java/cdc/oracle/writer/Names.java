package cdc.oracle.writer;

import java.util.HashSet;
import java.util.Set;

/** Names for keyspaces, tables, types, fields and columns, all different, some of them unpleasant. */
final class Names {
    private static final String[] PLAIN = {"id", "name", "amount", "state", "note", "email", "city", "score", "v", "k"};
    private static final String[] ODD = {
        "Mixed Case", "select", "größe", "名前", "naïve", "a,b", "a<b>", "quote\"d", "it's", "smile😀", "tab\there",
        "dot.ted", "$dollar", "ORDER", "frozen<int>", "-", "{}"
    };

    private final Dice dice;
    private final Set<String> taken = new HashSet<>();
    private int counter;

    Names(Dice dice) {
        this.dice = dice;
    }

    /** A keyspace or table name: only word characters are allowed, at most 48 of them. */
    String word(String prefix) {
        counter++;
        return dice.chance(0.3) ? "\"" + prefix.toUpperCase() + "_" + counter + "\"" : prefix + "_" + counter;
    }

    /** A quoted name of a column, a type or a field. */
    String any() {
        counter++;
        String base;
        if (dice.chance(0.02)) {
            base = "long".repeat(dice.between(20, 60));
        } else {
            base = dice.chance(0.25) ? dice.of(ODD) : dice.of(PLAIN);
        }
        String name = taken.contains(base) || dice.chance(0.5) ? base + counter : base;
        taken.add(name);
        return quote(name);
    }

    static String quote(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
