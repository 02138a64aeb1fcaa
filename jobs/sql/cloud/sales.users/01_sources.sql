-- dq-cloud-sales.users: how the job runs, and the topic that it reads. Run 01 to 04 in one session.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'dq-cloud-sales.users';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/cloud';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- All outputs are fed by one pass over the records.
SET 'table.optimizer.reuse-optimize-block-with-digest-enabled' = 'true';

-- Counters are written at most once a second. They are kept for good: nothing here is ever too late.
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '1 s';
SET 'table.exec.mini-batch.size' = '10000';
SET 'table.exec.state.ttl' = '0 ms';

-- A counter's window is the key of its row, so that no operator need bring rows of a key together again.
SET 'table.exec.sink.upsert-materialize' = 'NONE';

-- Functions of the jar of this project.
CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `COUNT_INVALID` AS 'io.cdcagent.flink.functions.CountInvalid' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `COUNT_VALID` AS 'io.cdcagent.flink.functions.CountValid' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `REPEATED_EVENT` AS 'io.cdcagent.flink.functions.RepeatedEvent' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `RULE_LIST` AS 'io.cdcagent.flink.functions.RuleList' LANGUAGE JAVA;

-- Records as they are: key and value in bytes.
DROP TEMPORARY TABLE IF EXISTS `dq-cloud-sales.users.source`;

CREATE TEMPORARY TABLE `dq-cloud-sales.users.source` (
  `record.key` BYTES,
  `record.value` BYTES,
  `record.topic` STRING METADATA FROM 'topic' VIRTUAL,
  `record.partition` INT METADATA FROM 'partition' VIRTUAL,
  `record.offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `record.timestamp` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `record.headers` MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'cloud.cdc.sales.users',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'flink-dq-cloud',
  'properties.auto.offset.reset' = 'earliest',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'group-offsets',
  'key.format' = 'raw',
  'key.fields' = 'record.key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);
