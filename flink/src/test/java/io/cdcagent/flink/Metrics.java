package io.cdcagent.flink;

import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Remembers every counter of this JVM's Flink clusters, also when its task has ended. */
public final class Metrics implements MetricReporter {
    private static final Map<Counter, String> COUNTERS = new ConcurrentHashMap<>();

    /** Found by the service loader. */
    public static final class Factory implements MetricReporterFactory {
        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return new Metrics();
        }
    }

    /** Settings of a cluster that reports here. */
    public static Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.setString("metrics.reporter.test.factory.class", Factory.class.getName());
        configuration.setString("parallelism.default", "1");
        configuration.setString("table.local-time-zone", "UTC");
        return configuration;
    }

    public static TableEnvironment tables() {
        return TableEnvironment.create(
                EnvironmentSettings.newInstance()
                        .inStreamingMode()
                        .withConfiguration(configuration())
                        .build());
    }

    /** The sum of all counters of this name. */
    public static long sum(String name) {
        return COUNTERS.entrySet().stream()
                .filter(entry -> entry.getValue().equals(name))
                .mapToLong(entry -> entry.getKey().getCount())
                .sum();
    }

    /** What an exception and its causes say. */
    public static String chain(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable one = error; one != null; one = one.getCause()) {
            text.append(one.getClass().getSimpleName())
                    .append(": ")
                    .append(one.getMessage())
                    .append('\n');
        }
        return text.toString();
    }

    @Override
    public void open(MetricConfig config) {}

    @Override
    public void close() {}

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
        if (metric instanceof Counter) {
            COUNTERS.put((Counter) metric, name);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
}
