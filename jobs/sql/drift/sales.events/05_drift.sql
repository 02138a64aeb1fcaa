-- drift-onprem+cloud-sales.events: whole rows of both sides compared, for notebooks. Updates that carry a part of a row are left out.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Checkpoints hold the offsets, what is counted and what is remembered; each is kept when the job is cancelled.
SET 'pipeline.name' = 'drift-onprem+cloud-sales.events';
SET 'execution.checkpointing.interval' = '30 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';
SET 'state.checkpoints.dir' = 'file:///tmp/cdc-jobs/onprem';

-- Timestamps are UTC, whatever the session's zone is.
SET 'table.local-time-zone' = 'UTC';

-- A side whose agents are silent holds everything back: it is no reason to call its rows missing.
SET 'table.exec.source.idle-timeout' = '0 ms';

-- Functions of the jar of this project.
CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `JSON_PART` AS 'io.cdcagent.flink.functions.JsonPart' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `REPEATED_EVENT` AS 'io.cdcagent.flink.functions.RepeatedEvent' LANGUAGE JAVA;

CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `TIMESTAMP_US` AS 'io.cdcagent.flink.functions.TimestampUs' LANGUAGE JAVA;

-- The agents' records of onprem; heartbeats move the time on.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem+cloud-sales.events.onprem.source`;

CREATE TEMPORARY TABLE `drift-onprem+cloud-sales.events.onprem.source` (
  `record.key` STRING,
  `record.value` STRING,
  `record.topic` STRING METADATA FROM 'topic' VIRTUAL,
  `record.partition` INT METADATA FROM 'partition' VIRTUAL,
  `record.offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `kafka_ts` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `kafka_ts` AS `kafka_ts` - INTERVAL '10' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'onprem.cdc.sales.events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'flink-drift-onprem',
  'properties.auto.offset.reset' = 'earliest',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'group-offsets',
  'key.format' = 'raw',
  'key.fields' = 'record.key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

DROP TEMPORARY VIEW IF EXISTS `drift-onprem+cloud-sales.events.onprem`;

CREATE TEMPORARY VIEW `drift-onprem+cloud-sales.events.onprem` AS
SELECT `key`, `version_us`, `op`, `row_hash`, `hash_def`, `event_id`, `place`, `ms`, `kafka_ts`
FROM (
  SELECT *,
    REPEATED_EVENT(`event_id`, `ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT))
      OVER (PARTITION BY `record.partition` ORDER BY `arrival`) AS `is_repeat`
  FROM (
    SELECT
      NULLIF(JSON_PART(`record.key`, 'object'), 'null') AS `key`,
      CASE WHEN JSON_VALUE(`record.value`, '$.op') IN ('d', 'rt') THEN CASE WHEN REGEXP(JSON_VALUE(`record.value`, '$.source.ts_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.value`, '$.source.ts_us') AS BIGINT) END ELSE TIMESTAMP_US(JSON_VALUE(`record.value`, '$.after.event_ts')) END AS `version_us`,
      JSON_VALUE(`record.value`, '$.op') AS `op`,
      JSON_VALUE(`record.value`, '$.row_hash') AS `row_hash`,
      JSON_VALUE(`record.value`, '$.hash_def') AS `hash_def`,
      JSON_VALUE(`record.value`, '$.event_id') AS `event_id`,
      CONCAT(
      '{"op":', COALESCE(JSON_STRING(JSON_VALUE(`record.value`, '$.op')), 'null'),
      ',"topic":', COALESCE(JSON_STRING(`record.topic`), 'null'),
      ',"partition":', CAST(`record.partition` AS STRING),
      ',"offset":', CAST(`record.offset` AS STRING),
      ',"file":', COALESCE(JSON_STRING(JSON_VALUE(`record.value`, '$.source.file')), 'null'),
      ',"pos":', COALESCE(JSON_VALUE(`record.value`, '$.source.pos'), 'null'), '}') AS `place`,
      EXTRACT(EPOCH FROM CAST(`kafka_ts` AS TIMESTAMP(3))) * 1000 + EXTRACT(MILLISECOND FROM CAST(`kafka_ts` AS TIMESTAMP(3))) AS `ms`,
      `kafka_ts`, `record.partition`, PROCTIME() AS `arrival`
    FROM `drift-onprem+cloud-sales.events.onprem.source`
    WHERE JSON_VALUE(`record.value`, '$.op') IN ('c', 'u', 'r', 'd') AND JSON_VALUE(`record.value`, '$.hash_kind') IN ('full', 'tombstone')
  )
)
WHERE `is_repeat` IS NOT TRUE AND `key` IS NOT NULL AND `version_us` IS NOT NULL;

-- The agents' records of cloud; heartbeats move the time on.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem+cloud-sales.events.cloud.source`;

CREATE TEMPORARY TABLE `drift-onprem+cloud-sales.events.cloud.source` (
  `record.key` STRING,
  `record.value` STRING,
  `record.topic` STRING METADATA FROM 'topic' VIRTUAL,
  `record.partition` INT METADATA FROM 'partition' VIRTUAL,
  `record.offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `kafka_ts` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR `kafka_ts` AS `kafka_ts` - INTERVAL '10' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'cloud.cdc.sales.events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'properties.group.id' = 'flink-drift-cloud',
  'properties.auto.offset.reset' = 'earliest',
  'properties.isolation.level' = 'read_committed',
  'scan.startup.mode' = 'group-offsets',
  'key.format' = 'raw',
  'key.fields' = 'record.key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

DROP TEMPORARY VIEW IF EXISTS `drift-onprem+cloud-sales.events.cloud`;

CREATE TEMPORARY VIEW `drift-onprem+cloud-sales.events.cloud` AS
SELECT `key`, `version_us`, `op`, `row_hash`, `hash_def`, `event_id`, `place`, `ms`, `kafka_ts`
FROM (
  SELECT *,
    REPEATED_EVENT(`event_id`, `ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT))
      OVER (PARTITION BY `record.partition` ORDER BY `arrival`) AS `is_repeat`
  FROM (
    SELECT
      NULLIF(JSON_PART(`record.key`, 'object'), 'null') AS `key`,
      CASE WHEN JSON_VALUE(`record.value`, '$.op') IN ('d', 'rt') THEN CASE WHEN REGEXP(JSON_VALUE(`record.value`, '$.source.ts_us'), '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(JSON_VALUE(`record.value`, '$.source.ts_us') AS BIGINT) END ELSE TIMESTAMP_US(JSON_VALUE(`record.value`, '$.after.event_ts')) END AS `version_us`,
      JSON_VALUE(`record.value`, '$.op') AS `op`,
      JSON_VALUE(`record.value`, '$.row_hash') AS `row_hash`,
      JSON_VALUE(`record.value`, '$.hash_def') AS `hash_def`,
      JSON_VALUE(`record.value`, '$.event_id') AS `event_id`,
      CONCAT(
      '{"op":', COALESCE(JSON_STRING(JSON_VALUE(`record.value`, '$.op')), 'null'),
      ',"topic":', COALESCE(JSON_STRING(`record.topic`), 'null'),
      ',"partition":', CAST(`record.partition` AS STRING),
      ',"offset":', CAST(`record.offset` AS STRING),
      ',"file":', COALESCE(JSON_STRING(JSON_VALUE(`record.value`, '$.source.file')), 'null'),
      ',"pos":', COALESCE(JSON_VALUE(`record.value`, '$.source.pos'), 'null'), '}') AS `place`,
      EXTRACT(EPOCH FROM CAST(`kafka_ts` AS TIMESTAMP(3))) * 1000 + EXTRACT(MILLISECOND FROM CAST(`kafka_ts` AS TIMESTAMP(3))) AS `ms`,
      `kafka_ts`, `record.partition`, PROCTIME() AS `arrival`
    FROM `drift-onprem+cloud-sales.events.cloud.source`
    WHERE JSON_VALUE(`record.value`, '$.op') IN ('c', 'u', 'r', 'd') AND JSON_VALUE(`record.value`, '$.hash_kind') IN ('full', 'tombstone')
  )
)
WHERE `is_repeat` IS NOT TRUE AND `key` IS NOT NULL AND `version_us` IS NOT NULL;

-- Verdicts: onprem is onprem, cloud is cloud. What the other side lacks is told once its time is a minute further; rows
-- that a snapshot read are not waited for there.
DROP TEMPORARY VIEW IF EXISTS `drift-onprem+cloud-sales.events.verdicts`;

CREATE TEMPORARY VIEW `drift-onprem+cloud-sales.events.verdicts` AS
SELECT COALESCE(`o`.`key`, `c`.`key`) AS `key`, COALESCE(`o`.`version_us`, `c`.`version_us`) AS `version_us`,
  CASE
    WHEN `o`.`key` IS NULL THEN 'MISSING_ONPREM'
    WHEN `c`.`key` IS NULL THEN 'MISSING_CLOUD'
    WHEN `o`.`hash_def` <> `c`.`hash_def` THEN 'INCOMPARABLE'
    WHEN `o`.`row_hash` = `c`.`row_hash` THEN 'MATCH'
    ELSE 'DRIFT'
  END AS `status`,
  `o`.`row_hash` AS `onprem_hash`, `c`.`row_hash` AS `cloud_hash`,
  `o`.`event_id` AS `onprem_event_id`, `c`.`event_id` AS `cloud_event_id`,
  COALESCE(`o`.`hash_def`, `c`.`hash_def`) AS `hash_def`,
  `o`.`hash_def` AS `onprem_hash_def`, `c`.`hash_def` AS `cloud_hash_def`,
  `o`.`place` AS `onprem_place`, `c`.`place` AS `cloud_place`,
  CASE WHEN `c`.`ms` < `o`.`ms` THEN `c`.`ms` ELSE COALESCE(`o`.`ms`, `c`.`ms`) END AS `first_seen_ms`,
  CASE WHEN `o`.`ms` IS NULL OR `c`.`ms` IS NULL THEN COALESCE(`o`.`ms`, `c`.`ms`) + 60000
    WHEN `c`.`ms` > `o`.`ms` THEN `c`.`ms` ELSE `o`.`ms` END AS `decided_ms`
FROM `drift-onprem+cloud-sales.events.onprem` AS `o` FULL OUTER JOIN `drift-onprem+cloud-sales.events.cloud` AS `c`
  ON `o`.`key` = `c`.`key` AND `o`.`version_us` = `c`.`version_us`
  AND `o`.`kafka_ts` BETWEEN `c`.`kafka_ts` - INTERVAL '1' MINUTE AND `c`.`kafka_ts` + INTERVAL '1' MINUTE
WHERE (`o`.`key` IS NOT NULL OR `c`.`op` <> 'r') AND (`c`.`key` IS NOT NULL OR `o`.`op` <> 'r');

-- Matches are not written; SELECT from the verdicts shows them.
DROP TEMPORARY TABLE IF EXISTS `drift-onprem+cloud-sales.events.audit`;

CREATE TEMPORARY TABLE `drift-onprem+cloud-sales.events.audit` (
  `key` STRING,
  `verdict` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'dq_reconciliation_audit',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'drift-onprem+cloud-sales.events',
  'properties.transaction.timeout.ms' = '600000',
  'properties.max.request.size' = '16777216',
  'key.format' = 'raw',
  'key.fields' = 'key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

INSERT INTO `drift-onprem+cloud-sales.events.audit` (`key`, `verdict`)
SELECT
  CONCAT(
      '{"table":', '"sales.events"',
      ',"key":', `key`, '}'),
  CONCAT(
      '{"table":', '"sales.events"',
      ',"key":', `key`,
      ',"version_us":', CAST(`version_us` AS STRING),
      ',"status":', COALESCE(JSON_STRING(`status`), 'null'),
      ',"onprem_hash":', COALESCE(JSON_STRING(`onprem_hash`), 'null'),
      ',"cloud_hash":', COALESCE(JSON_STRING(`cloud_hash`), 'null'),
      ',"onprem_event_id":', COALESCE(JSON_STRING(`onprem_event_id`), 'null'),
      ',"cloud_event_id":', COALESCE(JSON_STRING(`cloud_event_id`), 'null'),
      ',"hash_def":', COALESCE(JSON_STRING(`hash_def`), 'null'),
      ',"first_seen_us":', CAST(`first_seen_ms` * 1000 AS STRING),
      ',"decided_us":', CAST(`decided_ms` * 1000 AS STRING),
      ',"evidence":', CONCAT('{', CONCAT_WS(',',
      CONCAT('"onprem":', `onprem_place`),
      CONCAT('"cloud":', `cloud_place`),
      CASE WHEN `status` = 'INCOMPARABLE' THEN CONCAT('"reason":"hash_def","hash_defs":[', COALESCE(JSON_STRING(`onprem_hash_def`), 'null'), ',', COALESCE(JSON_STRING(`cloud_hash_def`), 'null'), ']') END), '}'), '}')
FROM `drift-onprem+cloud-sales.events.verdicts`
WHERE `status` <> 'MATCH';
