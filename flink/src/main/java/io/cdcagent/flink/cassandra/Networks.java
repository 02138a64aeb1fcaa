package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.metadata.Node;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.table.api.ValidationException;

/** The networks of the option `allowed-networks`: in CIDR form, as in environments.yaml. */
final class Networks implements Serializable {
    private static final long serialVersionUID = 1L;

    // Addresses alone: names would be looked up.
    private static final Pattern FORM =
            Pattern.compile(
                    "((?:[0-9]{1,3}[.]){3}[0-9]{1,3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)/([0-9]{1,3})");

    private final List<Network> networks;

    private Networks(List<Network> networks) {
        this.networks = networks;
    }

    /**
     * Reads a list as `10.10.0.0/24,fd00::/8`.
     *
     * @throws ValidationException when an entry is no network
     */
    static Networks parse(String given) {
        List<Network> found = new ArrayList<>();
        for (String entry : given.split(",", -1)) {
            found.add(Network.parse(entry.strip()));
        }
        return new Networks(found);
    }

    /**
     * Whether one of them has the address. 0.0.0.0 and `::`, which lead to the machine itself, are
     * in none.
     */
    boolean contain(InetAddress address) {
        return !address.isAnyLocalAddress()
                && networks.stream().anyMatch(network -> network.contains(address));
    }

    /** Whether the node's address is in one of them. */
    boolean contain(Node node) {
        SocketAddress address = node.getEndPoint().resolve();
        return address instanceof InetSocketAddress
                && ((InetSocketAddress) address).getAddress() != null
                && contain(((InetSocketAddress) address).getAddress());
    }

    @Override
    public String toString() {
        return networks.stream().map(network -> network.text).collect(Collectors.joining(", "));
    }

    private static final class Network implements Serializable {
        private static final long serialVersionUID = 1L;

        final String text;
        final byte[] first;
        final int prefix;

        Network(String text, byte[] first, int prefix) {
            this.text = text;
            this.first = first;
            this.prefix = prefix;
        }

        static Network parse(String text) {
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()) {
                throw wrong(text, "it must be an address and the length of its prefix");
            }
            byte[] address;
            try {
                address = InetAddress.getByName(matcher.group(1)).getAddress();
            } catch (UnknownHostException error) {
                throw wrong(text, "there is no such address");
            }
            // Connections take ::ffff:10.0.0.1 for 10.0.0.1, and so does Java.
            if (address.length == 4 && matcher.group(1).contains(":")) {
                throw wrong(text, "connections take it for IPv4");
            }
            int prefix = Integer.parseInt(matcher.group(2));
            if (prefix < 1 || prefix > address.length * 8) {
                throw wrong(text, "the length of a prefix is from 1 to " + address.length * 8);
            }
            if (!Arrays.equals(address, masked(address, prefix))) {
                throw wrong(text, "the address has bits behind its prefix");
            }
            return new Network(text, address, prefix);
        }

        boolean contains(InetAddress address) {
            byte[] bytes = address.getAddress();
            return bytes.length == first.length && Arrays.equals(masked(bytes, prefix), first);
        }

        private static byte[] masked(byte[] address, int prefix) {
            byte[] masked = address.clone();
            for (int at = 0; at < masked.length; at++) {
                int kept = Math.min(8, Math.max(0, prefix - at * 8));
                masked[at] &= (byte) (0xFF << (8 - kept));
            }
            return masked;
        }

        private static ValidationException wrong(String text, String why) {
            return new ValidationException(
                    String.format(
                            "'allowed-networks': '%s' is no network: %s. Write 10.10.0.0/24 or fd00::/8, separated by commas.",
                            text, why));
        }
    }
}
