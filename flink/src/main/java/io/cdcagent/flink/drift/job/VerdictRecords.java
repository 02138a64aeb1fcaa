package io.cdcagent.flink.drift.job;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Rows as records of Kafka: their partition follows from their key. */
final class VerdictRecords implements KafkaRecordSerializationSchema<RowData> {
    private static final long serialVersionUID = 1L;

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            RowData row, KafkaSinkContext context, Long timestamp) {
        long timestampMs = row.getLong(VerdictRow.TIMESTAMP_MS);
        return new ProducerRecord<>(
                row.getString(VerdictRow.TOPIC).toString(),
                null,
                timestampMs < 0 ? null : timestampMs,
                row.getString(VerdictRow.KEY).toBytes(),
                row.isNullAt(VerdictRow.VALUE) ? null : row.getString(VerdictRow.VALUE).toBytes());
    }
}
