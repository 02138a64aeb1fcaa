-- drift-onprem-sales.users: do onprem and cloud hold the same rows? Verdicts go to the brokers of onprem.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'drift-onprem-sales.users';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/onprem';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- What is remembered is looked at with every record: it stays in memory between checkpoints.
SET 'state.backend.type' = 'hashmap';

-- What the operator says of the records of both sides.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem-sales.users.verdicts`;

CREATE TEMPORARY TABLE `drift-onprem-sales.users.verdicts` (
  `topic` STRING,
  `key` STRING,
  `value` STRING,
  `timestamp_ms` BIGINT
) WITH (
  'connector' = 'drift',
  'table' = 'sales.users',
  'key' = '["id"]',
  'partition-key-columns' = '1',
  'columns' = '{"tenant_id":"text","oidc_name":"text","username":"text","first_name":"text","last_name":"text","email":"text","status":"int","auth_date":"timestamp","creation_date":"timestamp","updation_date":"timestamp","updated_by":"text"}',
  'clustering' = '[]',
  'timestamps' = '["auth_date","creation_date","updation_date"]',
  'version' = 'write_time',
  'input' = 'cdc',
  'mode' = 'merge',
  'tolerance' = '60 s',
  'grace' = '120 s',
  'silence' = '300 s',
  'retention' = '86400 s',
  'max-rows' = '1000000',
  'max-event-ids' = '1000000',
  'max-waiting' = '1000000',
  'old-writes' = 'incomparable',
  'write-matches' = 'false',
  'shards' = '32',
  'audit-topic' = 'dq_reconciliation_audit',
  'current-topic' = 'dq_reconciliation_current',
  'onprem.topic' = 'onprem.cdc.sales.users',
  'onprem.control-topic' = 'onprem.cdc.__control',
  'onprem.dead-letter-topic' = 'onprem.cdc.__dead_letters',
  'onprem.cdc-topic' = 'onprem.cdc.sales.users',
  'onprem.hosts' = 'any',
  'onprem.properties.group.id' = 'flink-drift-onprem-sales.users',
  'onprem.properties.bootstrap.servers' = '127.0.0.1:9092',
  'cloud.topic' = 'cloud.cdc.sales.users',
  'cloud.control-topic' = 'cloud.cdc.__control',
  'cloud.dead-letter-topic' = 'cloud.cdc.__dead_letters',
  'cloud.cdc-topic' = 'cloud.cdc.sales.users',
  'cloud.hosts' = 'any',
  'cloud.properties.group.id' = 'flink-drift-cloud-sales.users',
  'cloud.properties.bootstrap.servers' = '127.0.0.1:9092'
);

-- dq_reconciliation_audit and dq_reconciliation_current.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem-sales.users.topics`;

CREATE TEMPORARY TABLE `drift-onprem-sales.users.topics` (
  `topic` STRING,
  `key` STRING,
  `value` STRING,
  `timestamp_ms` BIGINT
) WITH (
  'connector' = 'drift',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'transactional-id-prefix' = 'cdc-jobs.drift-onprem-sales.users',
  'properties.transaction.timeout.ms' = '600000'
);

INSERT INTO `drift-onprem-sales.users.topics`
SELECT `topic`, `key`, `value`, `timestamp_ms` FROM `drift-onprem-sales.users.verdicts`;
