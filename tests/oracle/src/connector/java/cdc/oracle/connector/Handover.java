package cdc.oracle.connector;

import io.debezium.connector.base.QueueProvider;
import io.debezium.connector.cassandra.Event;
import java.util.Map;
import java.util.function.Consumer;

/** A queue that holds nothing: what the connector puts in is consumed at once, on the same thread. */
final class Handover implements QueueProvider<Event> {
    private final Consumer<Event> consumer;

    Handover(Consumer<Event> consumer) {
        this.consumer = consumer;
    }

    @Override
    public void enqueue(Event event) {
        consumer.accept(event);
    }

    @Override
    public Event poll() {
        return null;
    }

    @Override
    public int size() {
        return 0;
    }

    @Override
    public void configure(Map<String, ?> properties) {
        // nothing to configure
    }
}
