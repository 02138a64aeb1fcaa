-- hash-cloud-sales.users: the row hashes of the agents' records.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'hash-cloud-sales.users';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/cloud';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- Functions of the jar of this project.
CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `JSON_PART` AS 'io.cdcagent.flink.functions.JsonPart' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `KEPT_RECORD` AS 'io.cdcagent.flink.functions.KeptRecord' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `REPEATED_EVENT` AS 'io.cdcagent.flink.functions.RepeatedEvent' LANGUAGE JAVA;

-- Records as they are: key and value in bytes.
DROP TEMPORARY TABLE IF EXISTS `hash-cloud-sales.users.source`;

CREATE TEMPORARY TABLE `hash-cloud-sales.users.source` (
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
  'properties.group.id' = 'flink-hash-cloud',
  'properties.auto.offset.reset' = 'earliest',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'group-offsets',
  'key.format' = 'raw',
  'key.fields' = 'record.key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

-- The value as text. What is not UTF-8 has none: the cast puts other characters in its place.
DROP TEMPORARY VIEW IF EXISTS `hash-cloud-sales.users.payload`;

CREATE TEMPORARY VIEW `hash-cloud-sales.users.payload` AS
SELECT `s`.*, `c`.*
FROM `hash-cloud-sales.users.source` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
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
DROP TEMPORARY VIEW IF EXISTS `hash-cloud-sales.users.change`;

CREATE TEMPORARY VIEW `hash-cloud-sales.users.change` AS
SELECT `s`.*, `c`.*
FROM `hash-cloud-sales.users.payload` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
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
DROP TEMPORARY VIEW IF EXISTS `hash-cloud-sales.users.events`;

CREATE TEMPORARY VIEW `hash-cloud-sales.users.events` AS
SELECT `record.key`, `record.value`, `record.topic`, `record.partition`, `record.offset`, `record.timestamp`, `record.headers`, `kafka_ts`, `record.kafka_ms`, `record.payload`, `record.op`, `record.event_id`, `record.is_row`, `record.is_other`, `record.is_repeat`
FROM (
  SELECT *,
    REPEATED_EVENT(CASE WHEN `record.op` <> 'm' THEN `record.event_id` END, `record.kafka_ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT)) OVER (PARTITION BY `record.partition` ORDER BY `record.arrival`) AS `record.is_repeat`
  FROM (SELECT *, PROCTIME() AS `record.arrival` FROM `hash-cloud-sales.users.change` WHERE KEPT_RECORD(CASE WHEN `record.value` IS NULL THEN 'tombstone' WHEN NOT ((`record.is_row` OR `record.is_other`) AND (`record.op` <> 'm' OR CASE WHEN REGEXP(JSON_VALUE(`record.payload`, '$.wm_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.payload`, '$.wm_us') AS BIGINT) END IS NOT NULL)) THEN 'strange' END))
) WHERE `record.is_repeat` IS NOT TRUE;

-- Each event exactly once. A writer keeps to one partition, so that heartbeats and events of a partition of
-- the source stay in their order.
DROP TEMPORARY TABLE IF EXISTS `hash-cloud-sales.users.hash_events`;

CREATE TEMPORARY TABLE `hash-cloud-sales.users.hash_events` (
  `key` BYTES,
  `headers` MAP<STRING, BYTES> METADATA,
  `event` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'cloud_hash_events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'hash-cloud-sales.users',
  'properties.transaction.timeout.ms' = '600000',
  'properties.max.request.size' = '16777216',
  'sink.partitioner' = 'fixed',
  'key.format' = 'raw',
  'key.fields' = 'key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `hash-cloud-sales.users.hash_events` (`key`, `headers`, `event`)
SELECT
  `record.key`,
  CASE WHEN `record.op` = 'm' THEN MAP[CAST('source_topic' AS STRING), ENCODE('cloud.cdc.sales.users', 'UTF-8')] ELSE `record.headers` END,
  CASE WHEN `record.op` = 'm'
    THEN CONCAT(
      '{"op":', '"m"',
      ',"host_id":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.source.host_id')), 'null'),
      ',"partition":', COALESCE(CAST(`record.partition` AS STRING), 'null'),
      ',"wm_us":', COALESCE(CAST(CASE WHEN REGEXP(JSON_VALUE(`record.payload`, '$.wm_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.payload`, '$.wm_us') AS BIGINT) END AS STRING), 'null'),
      ',"source_dc":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.source.dc')), 'null'),
      COALESCE(CONCAT(',"created_us":', CAST(CASE WHEN JSON_VALUE(`record.payload`, '$.source.file') IS NOT NULL THEN CASE WHEN REGEXP(JSON_VALUE(`record.payload`, '$.source.ts_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.payload`, '$.source.ts_us') AS BIGINT) END END AS STRING)), ''), '}')
    ELSE CONCAT(
      '{"table":', '"sales.users"',
      ',"key":', JSON_PART(CASE WHEN ENCODE(CAST(`record.key` AS STRING), 'UTF-8') = `record.key` THEN CAST(`record.key` AS STRING) END, 'object'),
      ',"op":', COALESCE(JSON_STRING(`record.op`), 'null'),
      ',"row_hash":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.row_hash')), 'null'),
      ',"hash_kind":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.hash_kind')), 'null'),
      ',"hash_def":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.hash_def')), 'null'),
      ',"version_us":', COALESCE(CAST(CASE WHEN REGEXP(JSON_VALUE(`record.payload`, '$.source.ts_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.payload`, '$.source.ts_us') AS BIGINT) END AS STRING), 'null'),
      ',"source_dc":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.source.dc')), 'null'),
      ',"host_id":', COALESCE(JSON_STRING(JSON_VALUE(`record.payload`, '$.source.host_id')), 'null'),
      ',"event_id":', COALESCE(JSON_STRING(`record.event_id`), 'null'), '}')
  END
FROM `hash-cloud-sales.users.events`;
