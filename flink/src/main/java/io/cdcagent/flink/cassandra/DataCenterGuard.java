package io.cdcagent.flink.cassandra;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DriverException;
import com.datastax.oss.driver.api.core.DriverTimeoutException;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.datastax.oss.driver.api.core.connection.ClosedConnectionException;
import com.datastax.oss.driver.api.core.cql.Row;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks every address of every contact point for its data centre and cluster, before anything is
 * written. The driver itself would only warn of a contact point in another data centre.
 */
final class DataCenterGuard {
    private static final Logger LOG = LoggerFactory.getLogger(DataCenterGuard.class);

    private final SinkConfig config;
    private final Sessions sessions;
    private final List<InetSocketAddress> checked = new ArrayList<>();
    private final List<String> unreached = new ArrayList<>();
    private String cluster;

    DataCenterGuard(SinkConfig config, Sessions sessions) {
        this.config = config;
        this.sessions = sessions;
    }

    /**
     * The addresses that answered, all in the data centre of the options. One that does not answer
     * is left out: the session can still come to it as to any other node, by what the cluster says
     * of its data centre.
     *
     * @throws RefusedException when one is outside the allowed networks, or in another data centre
     *     or cluster, or does not let the user in
     * @throws IOException when none answers, or one answers and cannot tell
     */
    List<InetSocketAddress> check() throws IOException {
        Map<ContactPoint, List<InetSocketAddress>> addresses = new LinkedHashMap<>();
        for (ContactPoint point : config.hosts) {
            addresses.put(point, resolve(point));
        }
        // Before anything is sent to one of them, a password least of all.
        addresses.forEach((point, found) -> found.forEach(address -> allowed(point, address)));
        for (Map.Entry<ContactPoint, List<InetSocketAddress>> point : addresses.entrySet()) {
            for (InetSocketAddress address : point.getValue()) {
                ask(point.getKey(), address);
            }
        }
        if (checked.isEmpty()) {
            throw new IOException(
                    String.format(
                            "No contact point of %s answers: %s. Check 'hosts', 'port', the ssl options and that the nodes run.",
                            config, String.join("; ", unreached)));
        }
        return checked;
    }

    private List<InetSocketAddress> resolve(ContactPoint point) {
        List<InetSocketAddress> found = new ArrayList<>();
        try {
            for (InetAddress address : InetAddress.getAllByName(point.host)) {
                found.add(new InetSocketAddress(address, point.port));
            }
        } catch (UnknownHostException error) {
            missed(point, "the name has no address");
        }
        return found;
    }

    private void allowed(ContactPoint point, InetSocketAddress address) {
        if (config.allowedNetworks != null
                && !config.allowedNetworks.contain(address.getAddress())) {
            throw new RefusedException(
                    String.format(
                            "The contact point %s leads to %s, which is in none of the allowed networks (%s). Correct 'hosts'"
                                    + " or 'allowed-networks'.",
                            point, address.getAddress().getHostAddress(), config.allowedNetworks));
        }
    }

    private void ask(ContactPoint point, InetSocketAddress address) throws IOException {
        try (CqlSession session = sessions.withOneNode(address)) {
            Row local = session.execute("SELECT data_center, cluster_name FROM system.local").one();
            if (local == null) {
                throw new IOException("The table system.local of " + point + " is empty.");
            }
            compare(point, local.getString("data_center"), local.getString("cluster_name"));
            checked.add(address);
        } catch (DriverException error) {
            if (isWrongUser(error)) {
                throw new RefusedException(
                        String.format(
                                "The contact point %s does not let %s in: authentication failed. Check 'username' and"
                                        + " 'password' (or their variables and files) on this TaskManager.",
                                point,
                                config.username == null ? "a client without a user" : "the user"));
            }
            if (!isAway(error)) {
                throw new IOException(
                        String.format(
                                "The contact point %s answers, but not which data centre it is in (%s). Mend that, or take it out of 'hosts'.",
                                point, reason(error)),
                        error);
            }
            missed(point, reason(error));
        }
    }

    private void compare(ContactPoint point, String datacenter, String clusterName) {
        if (!config.datacenter.equals(datacenter)) {
            throw new RefusedException(
                    String.format(
                            "The contact point %s is in data centre %s, this sink writes to %s alone. Correct 'hosts' or 'datacenter'.",
                            point, datacenter, config.datacenter));
        }
        if (cluster == null) {
            cluster = clusterName;
        }
        if (!cluster.equals(clusterName)) {
            throw new RefusedException(
                    String.format(
                            "The contact point %s belongs to cluster '%s', another one to '%s'. Correct 'hosts': they must be of one cluster.",
                            point, clusterName, cluster));
        }
    }

    private void missed(ContactPoint point, String why) {
        LOG.warn("The contact point {} was not reached and is left out: {}", point, why);
        unreached.add(point + " (" + why + ")");
    }

    /** Not so when it cannot look up users now. */
    private static boolean isWrongUser(Throwable error) {
        return all(error).stream()
                .filter(AuthenticationException.class::isInstance)
                .anyMatch(one -> !String.valueOf(one.getMessage()).contains("Unable to perform"));
    }

    /** No connection, or no answer in time. */
    private static boolean isAway(Throwable error) {
        return all(error).stream()
                .anyMatch(
                        one ->
                                one instanceof SocketException
                                        || one instanceof DriverTimeoutException
                                        || one instanceof ClosedConnectionException);
    }

    private static String reason(Throwable error) {
        List<Throwable> all = all(error);
        Throwable last = all.get(all.size() - 1);
        return last.getClass().getSimpleName() + ": " + last.getMessage();
    }

    /** The error, what the nodes said, and the causes of that. */
    private static List<Throwable> all(Throwable error) {
        List<Throwable> found = new ArrayList<>();
        for (Throwable one = error; one != null && !found.contains(one); one = one.getCause()) {
            found.add(one);
        }
        if (error instanceof AllNodesFailedException) {
            for (List<Throwable> ofNode :
                    ((AllNodesFailedException) error).getAllErrors().values()) {
                ofNode.forEach(one -> found.addAll(all(one)));
            }
        }
        return found;
    }
}
