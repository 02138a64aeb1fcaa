package io.cdcagent.flink.cassandra;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.ValidationException;

/** One host of the option `hosts`. */
final class ContactPoint implements Serializable {
    private static final long serialVersionUID = 1L;

    private static final Pattern WITH_PORT =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.%]+)]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?");

    final String host;
    final int port;

    ContactPoint(String host, int port) {
        this.host = host;
        this.port = port;
    }

    /**
     * Reads a list as `10.10.0.5,cass2.internal:9142,[2001:db8::1]:9042`.
     *
     * @throws ValidationException when an entry is no host, or one stands there twice
     */
    static List<ContactPoint> parse(String hosts, int port) {
        List<ContactPoint> found = new ArrayList<>();
        for (String entry : hosts.split(",", -1)) {
            ContactPoint point = one(entry.strip(), port);
            if (found.contains(point)) {
                throw new ValidationException(
                        String.format("'hosts' names %s twice; name it once.", point));
            }
            found.add(point);
        }
        return found;
    }

    private static ContactPoint one(String entry, int port) {
        Matcher matcher = WITH_PORT.matcher(entry);
        if (!matcher.matches()) {
            throw new ValidationException(
                    String.format(
                            "'hosts': '%s' is no host. Write host, host:port or [v6]:port, separated by commas.",
                            entry));
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        int number = matcher.group(3) == null ? port : Integer.parseInt(matcher.group(3));
        if (number < 1 || number > 65535) {
            throw new ValidationException(
                    String.format("The port %d of '%s' is not from 1 to 65535.", number, host));
        }
        return new ContactPoint(host, number);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ContactPoint
                && ((ContactPoint) other).host.equals(host)
                && ((ContactPoint) other).port == port;
    }

    @Override
    public int hashCode() {
        return Objects.hash(host, port);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
