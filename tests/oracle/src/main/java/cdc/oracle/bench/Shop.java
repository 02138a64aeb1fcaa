package cdc.oracle.bench;

import cdc.oracle.writer.Node;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.apache.cassandra.cql3.CQLStatement;

/** A mixture as an application writes it: wide inserts, updates of few columns, collections, statics, TTLs, deletes. */
final class Shop {
    private static final int CUSTOMERS = 20_000;
    private static final int DEVICES = 500;
    private static final long DAY_MILLIS = 86_400_000L;
    private static final long START = 1_767_225_600_000L; // 2026-01-01

    private final LogWriter log;
    private final Random random;
    private final CQLStatement insertOrder;
    private final CQLStatement updateOrder;
    private final CQLStatement deleteOrder;
    private final CQLStatement deleteOrders;
    private final CQLStatement deleteOldOrders;
    private final CQLStatement insertCustomer;
    private final CQLStatement updateCustomer;
    private final CQLStatement insertReading;
    private final CQLStatement updateDevice;
    private final CQLStatement insertSession;
    private final CQLStatement replaceTags;
    private final CQLStatement putAttribute;
    private final CQLStatement appendHistory;
    private long clock = START;

    Shop(Node node, LogWriter log, Random random, String keyspace, boolean cdc) {
        this.log = log;
        this.random = random;
        createTables(node, keyspace, cdc);
        String in = keyspace + ".";
        insertOrder = LogWriter.prepare("INSERT INTO " + in + "orders (customer, placed, number, state, amount, currency, items,"
            + " express, address, note, weight) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        updateOrder = LogWriter.prepare("UPDATE " + in + "orders SET state = ?, shipped = ?, note = ? WHERE customer = ? AND placed = ?"
            + " AND number = ?");
        deleteOrder = LogWriter.prepare("DELETE FROM " + in + "orders WHERE customer = ? AND placed = ? AND number = ?");
        deleteOrders = LogWriter.prepare("DELETE FROM " + in + "orders WHERE customer = ?");
        deleteOldOrders = LogWriter.prepare("DELETE FROM " + in + "orders WHERE customer = ? AND placed < ?");
        insertCustomer = LogWriter.prepare("INSERT INTO " + in + "customers (id, name, email, city, birthday, tier, active, balance,"
            + " tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        updateCustomer = LogWriter.prepare("UPDATE " + in + "customers SET balance = ?, updated = ?, tier = ? WHERE id = ?");
        replaceTags = LogWriter.prepare("UPDATE " + in + "customers SET tags = ?, city = null WHERE id = ?");
        putAttribute = LogWriter.prepare("UPDATE " + in + "customers SET attributes = attributes + ? WHERE id = ?");
        appendHistory = LogWriter.prepare("UPDATE " + in + "customers SET history = history + ? WHERE id = ?");
        insertReading = LogWriter.prepare("INSERT INTO " + in + "readings (device, day, at, value, quality, raw, unit, source)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        updateDevice = LogWriter.prepare("UPDATE " + in + "readings SET model = ?, firmware = ? WHERE device = ? AND day = ?");
        insertSession = LogWriter.prepare("INSERT INTO " + in + "sessions (id, customer, agent, started, pages) VALUES"
            + " (?, ?, ?, ?, ?) USING TTL 86400");
    }

    private static void createTables(Node node, String keyspace, boolean cdc) {
        String with = "cdc = " + cdc;
        node.require("CREATE KEYSPACE " + keyspace + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        node.require("CREATE TABLE " + keyspace + ".orders (customer uuid, placed timestamp, number int, state text, amount decimal,"
            + " currency ascii, items int, express boolean, address text, note text, weight double, shipped timestamp,"
            + " PRIMARY KEY (customer, placed, number)) WITH CLUSTERING ORDER BY (placed DESC, number ASC) AND " + with);
        node.require("CREATE TABLE " + keyspace + ".customers (id uuid PRIMARY KEY, name text, email text, city text, birthday date,"
            + " tier smallint, active boolean, balance decimal, updated timestamp, tags set<text>, attributes map<text, text>,"
            + " history list<bigint>) WITH " + with);
        node.require("CREATE TABLE " + keyspace + ".readings (device text, day date, at timestamp, model text static,"
            + " firmware text static, value double, quality tinyint, raw blob, unit text, source inet,"
            + " PRIMARY KEY ((device, day), at)) WITH " + with);
        node.require("CREATE TABLE " + keyspace + ".sessions (id timeuuid PRIMARY KEY, customer uuid, agent text,"
            + " started timestamp, pages int) WITH " + with);
    }

    /** Writes one mutation. */
    void write() throws Exception {
        clock += random.nextInt(20);
        int kind = random.nextInt(100);
        if (kind < 43) {
            insertOrder();
        } else if (kind < 55) {
            log.write(updateOrder, state(), now(), Words.some(random, 4), customer(), now(), number());
        } else if (kind < 60) {
            insertCustomer();
        } else if (kind < 66) {
            log.write(updateCustomer, money(), now(), (short) random.nextInt(5), customer());
        } else if (kind < 83) {
            insertReading();
        } else if (kind < 86) {
            log.write(updateDevice, "model-" + random.nextInt(20), "1." + random.nextInt(9), device(), day());
        } else if (kind < 91) {
            log.write(insertSession, timeUuid(), customer(), Words.some(random, 8), now(), random.nextInt(50));
        } else if (kind < 96) {
            collection();
        } else {
            delete();
        }
    }

    private void insertOrder() throws Exception {
        log.write(insertOrder, customer(), now(), number(), state(), money(), random.nextInt(10) < 8 ? "EUR" : "USD",
            1 + random.nextInt(12), random.nextBoolean(), Words.some(random, 10), Words.some(random, 16), random.nextInt(9000) / 100.0);
    }

    private void insertCustomer() throws Exception {
        int number = random.nextInt(CUSTOMERS);
        log.write(insertCustomer, customer(number), Words.some(random, 2), "customer" + number + "@example.org",
            Words.some(random, 1), day(), (short) random.nextInt(5), random.nextBoolean(), money(), Set.of("new", "group" + number % 7));
    }

    private void insertReading() throws Exception {
        byte[] raw = new byte[24];
        random.nextBytes(raw);
        byte[] address = {10, 1, (byte) random.nextInt(256), (byte) random.nextInt(256)};
        log.write(insertReading, device(), day(), now(), random.nextGaussian() * 20, (byte) random.nextInt(4), ByteBuffer.wrap(raw),
            "celsius", java.net.InetAddress.getByAddress(address));
    }

    private void collection() throws Exception {
        switch (random.nextInt(3)) {
            case 0: log.write(replaceTags, Set.of("vip", "group" + random.nextInt(7)), customer()); break;
            case 1: log.write(putAttribute, Map.of("key" + random.nextInt(9), Words.some(random, 3)), customer()); break;
            default: log.write(appendHistory, List.of(random.nextLong() >>> 20, random.nextLong() >>> 20), customer());
        }
    }

    private void delete() throws Exception {
        switch (random.nextInt(4)) {
            case 0: log.write(deleteOrders, customer()); break;
            case 1: log.write(deleteOldOrders, customer(), now()); break;
            default: log.write(deleteOrder, customer(), now(), number());
        }
    }

    private Date now() {
        return new Date(clock);
    }

    private UUID customer() {
        return customer(random.nextInt(CUSTOMERS));
    }

    private static UUID customer(int number) {
        return new UUID((number * 0x9E3779B97F4A7C15L & ~0xF000L) | 0x4000L, 0x8000000000000000L | number * 0x1D8E4E27C47D124FL >>> 2);
    }

    private UUID timeUuid() {
        return new UUID((random.nextLong() & ~0xF000L) | 0x1000L, 0x8000000000000000L | random.nextLong() >>> 2);
    }

    private int number() {
        return random.nextInt(1000);
    }

    private String device() {
        return "device-" + random.nextInt(DEVICES);
    }

    /** A date as Cassandra holds it: days, the epoch in the middle of the unsigned range. */
    private int day() {
        return Integer.MIN_VALUE + (int) (clock / DAY_MILLIS);
    }

    private String state() {
        return random.nextInt(3) == 0 ? "shipped" : random.nextInt(2) == 0 ? "paid" : "open";
    }

    private BigDecimal money() {
        return BigDecimal.valueOf(random.nextInt(1_000_000), 2);
    }
}
