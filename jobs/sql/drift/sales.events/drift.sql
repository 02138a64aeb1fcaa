-- drift-onprem-sales.events: do onprem and cloud hold the same rows? Verdicts go to the brokers of onprem.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'drift-onprem-sales.events';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/onprem';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- What is remembered is looked at with every record: it stays in memory between checkpoints.
SET 'state.backend.type' = 'hashmap';

-- What the operator says of the records of both sides.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem-sales.events.verdicts`;

CREATE TEMPORARY TABLE `drift-onprem-sales.events.verdicts` (
  `topic` STRING,
  `key` STRING,
  `value` STRING,
  `timestamp_ms` BIGINT
) WITH (
  'connector' = 'drift',
  'table' = 'sales.events',
  'key' = '["id"]',
  'partition-key-columns' = '1',
  'columns' = '{"event_ts":"timestamp","amount":"double","record_hash":"text"}',
  'clustering' = '[]',
  'timestamps' = '["event_ts"]',
  'version' = '{"column":"event_ts","unit_us":1000}',
  'input' = 'cdc',
  'mode' = 'merge',
  'tolerance' = '60 s',
  'grace' = '120 s',
  'silence' = '300 s',
  'retention' = '86400 s',
  'max-rows' = '1000000',
  'max-event-ids' = '1000000',
  'max-waiting' = '1000000',
  'old-writes' = 'judge',
  'write-matches' = 'false',
  'shards' = '32',
  'audit-topic' = 'dq_reconciliation_audit',
  'current-topic' = 'dq_reconciliation_current',
  'onprem.topic' = 'onprem.cdc.sales.events',
  'onprem.control-topic' = 'onprem.cdc.__control',
  'onprem.dead-letter-topic' = 'onprem.cdc.__dead_letters',
  'onprem.cdc-topic' = 'onprem.cdc.sales.events',
  'onprem.hosts' = 'any',
  'onprem.properties.group.id' = 'flink-drift-onprem-sales.events',
  'onprem.properties.bootstrap.servers' = '127.0.0.1:9092',
  'cloud.topic' = 'cloud.cdc.sales.events',
  'cloud.control-topic' = 'cloud.cdc.__control',
  'cloud.dead-letter-topic' = 'cloud.cdc.__dead_letters',
  'cloud.cdc-topic' = 'cloud.cdc.sales.events',
  'cloud.hosts' = 'any',
  'cloud.properties.group.id' = 'flink-drift-cloud-sales.events',
  'cloud.properties.bootstrap.servers' = '127.0.0.1:9092'
);

-- dq_reconciliation_audit and dq_reconciliation_current.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem-sales.events.topics`;

CREATE TEMPORARY TABLE `drift-onprem-sales.events.topics` (
  `topic` STRING,
  `key` STRING,
  `value` STRING,
  `timestamp_ms` BIGINT
) WITH (
  'connector' = 'drift',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'transactional-id-prefix' = 'cdc-jobs.drift-onprem-sales.events',
  'properties.transaction.timeout.ms' = '600000'
);

INSERT INTO `drift-onprem-sales.events.topics`
SELECT `topic`, `key`, `value`, `timestamp_ms` FROM `drift-onprem-sales.events.verdicts`;
