package io.cdcagent.flink.drift.job;

import java.io.Serializable;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AdminClient;

/** How many partitions a topic has, asked whenever a task starts. */
interface PartitionCounts extends Serializable {
    /** Of a topic at the brokers that these properties of a client name. */
    int of(Properties kafka, String topic) throws InterruptedException;

    /** What brokers say. */
    static int ask(Properties kafka, String topic) throws InterruptedException {
        try (AdminClient admin = AdminClient.create(kafka)) {
            return admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .get()
                    .get(topic)
                    .partitions()
                    .size();
        } catch (ExecutionException error) {
            String why = error.getCause().getMessage();
            throw new IllegalStateException("topic " + topic + ": " + why, error);
        }
    }
}
