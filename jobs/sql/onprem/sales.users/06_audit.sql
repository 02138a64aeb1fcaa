-- audit-onprem-sales.users: the audit trail of the table's writes.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'audit-onprem-sales.users';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/onprem';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- Functions of the jar of this project.
CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `COLUMN_NAMES` AS 'io.cdcagent.flink.functions.ColumnNames' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `JSON_PART` AS 'io.cdcagent.flink.functions.JsonPart' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `KEPT_RECORD` AS 'io.cdcagent.flink.functions.KeptRecord' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `REPEATED_EVENT` AS 'io.cdcagent.flink.functions.RepeatedEvent' LANGUAGE JAVA;

-- Records as they are: key and value in bytes.
DROP TEMPORARY TABLE IF EXISTS `audit-onprem-sales.users.source`;

CREATE TEMPORARY TABLE `audit-onprem-sales.users.source` (
  `record.key` BYTES,
  `record.value` BYTES,
  `record.topic` STRING METADATA FROM 'topic' VIRTUAL,
  `record.partition` INT METADATA FROM 'partition' VIRTUAL,
  `record.offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `record.timestamp` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `record.headers` MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'onprem.cdc.sales.users',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'flink-audit-onprem',
  'properties.auto.offset.reset' = 'earliest',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'group-offsets',
  'key.format' = 'raw',
  'key.fields' = 'record.key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

-- The value as text. What is not UTF-8 has none: the cast puts other characters in its place.
DROP TEMPORARY VIEW IF EXISTS `audit-onprem-sales.users.payload`;

CREATE TEMPORARY VIEW `audit-onprem-sales.users.payload` AS
SELECT `s`.*, `c`.*
FROM `audit-onprem-sales.users.source` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `kafka_ts`
  CAST(`record.timestamp` AS TIMESTAMP(3)),
  -- `record.kafka_ms`
  EXTRACT(EPOCH FROM CAST(`record.timestamp` AS TIMESTAMP(3))) * 1000 + EXTRACT(MILLISECOND FROM CAST(`record.timestamp` AS TIMESTAMP(3))),
  -- `record.payload`
  CASE WHEN ENCODE(CAST(`record.value` AS STRING), 'UTF-8') = `record.value` THEN CAST(`record.value` AS STRING) END
)]) AS `c` (
  `kafka_ts`,
  `record.kafka_ms`,
  `record.payload`
);

-- What an agent's record is about: a row, something else (a deletion, a range, a heartbeat), or broken.
DROP TEMPORARY VIEW IF EXISTS `audit-onprem-sales.users.change`;

CREATE TEMPORARY VIEW `audit-onprem-sales.users.change` AS
SELECT `s`.*, `c`.*
FROM `audit-onprem-sales.users.payload` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `record.op`
  JSON_VALUE(`record.payload`, '$.op'),
  -- `record.event_id`
  JSON_VALUE(`record.payload`, '$.event_id'),
  -- `record.is_row`
  COALESCE((`record.payload` IS JSON OBJECT AND CONCAT('[', `record.payload`, ']') IS JSON ARRAY AND CONCAT('{"":', `record.payload`, '}') IS JSON OBJECT) AND JSON_VALUE(`record.payload`, '$.op') IN ('c', 'u', 'r') AND JSON_QUERY(`record.payload`, '$.after') IS JSON OBJECT, FALSE),
  -- `record.is_other`
  COALESCE((`record.payload` IS JSON OBJECT AND CONCAT('[', `record.payload`, ']') IS JSON ARRAY AND CONCAT('{"":', `record.payload`, '}') IS JSON OBJECT) AND JSON_VALUE(`record.payload`, '$.op') IN ('d', 'rt', 'm'), FALSE)
)]) AS `c` (
  `record.op`,
  `record.event_id`,
  `record.is_row`,
  `record.is_other`
);

-- The first record of each event: of 24 h of Kafka time, and a million ids a Kafka partition. The others are
-- counted as dq_repeat_count.
DROP TEMPORARY VIEW IF EXISTS `audit-onprem-sales.users.events`;

CREATE TEMPORARY VIEW `audit-onprem-sales.users.events` AS
SELECT `record.key`, `record.value`, `record.topic`, `record.partition`, `record.offset`, `record.timestamp`, `record.headers`, `kafka_ts`, `record.kafka_ms`, `record.payload`, `record.op`, `record.event_id`, `record.is_row`, `record.is_other`, `record.is_repeat`
FROM (
  SELECT *,
    REPEATED_EVENT(CASE WHEN `record.op` IS NOT NULL THEN `record.event_id` END, `record.kafka_ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT)) OVER (PARTITION BY `record.partition` ORDER BY `record.arrival`) AS `record.is_repeat`
  FROM (SELECT *, PROCTIME() AS `record.arrival` FROM `audit-onprem-sales.users.change` WHERE KEPT_RECORD(CASE WHEN `record.value` IS NULL THEN 'tombstone' WHEN NOT (`record.is_row` OR `record.is_other`) THEN 'strange' WHEN `record.op` = 'r' THEN 'snapshot_row' WHEN `record.op` = 'm' THEN 'heartbeat' END))
) WHERE `record.is_repeat` IS NOT TRUE;

-- What a write carried, as the agent wrote it: JSON_PART gives an object or a member of it as it stands, the
-- text null when it is missing.
DROP TEMPORARY VIEW IF EXISTS `audit-onprem-sales.users.writes`;

CREATE TEMPORARY VIEW `audit-onprem-sales.users.writes` AS
SELECT `s`.*, `c`.*
FROM `audit-onprem-sales.users.events` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `record.key_json`
  JSON_PART(CASE WHEN ENCODE(CAST(`record.key` AS STRING), 'UTF-8') = `record.key` THEN CAST(`record.key` AS STRING) END, 'object'),
  -- `record.values`
  CASE WHEN `record.is_row` THEN JSON_PART(`record.payload`, 'object', 'after') ELSE 'null' END,
  -- `record.patch`
  CASE WHEN `record.is_row` THEN JSON_PART(`record.payload`, 'object', 'patch') ELSE 'null' END
)]) AS `c` (
  `record.key_json`,
  `record.values`,
  `record.patch`
);

-- Each write exactly once, with the key, headers and time of its record; readers must be read_committed. Records
-- of a key come from one partition and go to one, so that they stay in their order.
DROP TEMPORARY TABLE IF EXISTS `audit-onprem-sales.users.trail`;

CREATE TEMPORARY TABLE `audit-onprem-sales.users.trail` (
  `key` BYTES,
  `headers` MAP<STRING, BYTES> METADATA,
  `timestamp` TIMESTAMP_LTZ(3) METADATA,
  `entry` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'onprem.audit.sales.users',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'audit-onprem-sales.users',
  'properties.transaction.timeout.ms' = '600000',
  'properties.max.request.size' = '16777216',
  'key.format' = 'raw',
  'key.fields' = 'key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `audit-onprem-sales.users.trail` (`key`, `headers`, `timestamp`, `entry`)
SELECT
  `record.key`,
  `record.headers`,
  `record.timestamp`,
  CONCAT(
      '{"operation":', CASE `record.op` WHEN 'c' THEN '"INSERTED"' WHEN 'u' THEN '"UPDATED"' ELSE '"DELETED"' END,
      ',"stamp_us":', JSON_PART(`record.payload`, 'integer', 'source', 'ts_us'),
      ',"key":', `record.key_json`,
      ',"values":', `record.values`,
      ',"columns":', COLUMN_NAMES(`record.values`, `record.patch`, 'id'),
      ',"source_dc":', JSON_PART(`record.payload`, 'text', 'source', 'dc'),
      ',"host_id":', JSON_PART(`record.payload`, 'text', 'source', 'host_id'),
      ',"event_id":', JSON_PART(`record.payload`, 'text', 'event_id'),
      ',"expires_at":', JSON_PART(`record.payload`, 'integer', 'liveness', 'expires_at'),
      ',"before":', 'null',
      ',"patch":', `record.patch`,
      ',"range":', JSON_PART(`record.payload`, 'object', 'range'),
      ',"cells":', JSON_PART(`record.payload`, 'object', 'cells'), '}')
FROM `audit-onprem-sales.users.writes`;
