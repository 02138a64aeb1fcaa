-- dq-onprem-sales.events: broken records, counters, and the statement that starts the job.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Each broken record exactly once, with its own key and headers; readers must be read_committed.
DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.events.dead_letters`;

CREATE TEMPORARY TABLE `dq-onprem-sales.events.dead_letters` (
  `key` BYTES,
  `headers` MAP<STRING, BYTES> METADATA,
  `job` STRING,
  `topic` STRING,
  `partition` INT,
  `offset` BIGINT,
  `kafka_ts` BIGINT,
  `payload` STRING,
  `payload_base64` BYTES,
  `failed` ARRAY<STRING>,
  `warned` ARRAY<STRING>,
  `rules_version` STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'onprem.dlq.sales.events',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'dq-onprem-sales.events',
  'properties.transaction.timeout.ms' = '600000',
  'properties.max.request.size' = '16777216',
  'key.format' = 'raw',
  'key.fields' = 'key',
  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY'
);

-- Counters of a minute of Kafka time; they grow while its records come. Job and minute are the key, as in the
-- topics: so a count is written over the one before, and none is taken back.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.events.windows`;

CREATE TEMPORARY VIEW `dq-onprem-sales.events.windows` AS
SELECT
  `record.job` AS `job_name`,
  `record.minute` AS `window_start`,
  SUM(CASE WHEN `verdict.failed` = '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `valid_count`,
  SUM(CASE WHEN `verdict.failed` = '' AND `verdict.warned` <> '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `warned_count`,
  SUM(CASE WHEN `verdict.failed` <> '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `invalid_count`,
  SUM(CASE WHEN `rule.json` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.json`,
  SUM(CASE WHEN `rule.id.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.id.not_null`,
  SUM(CASE WHEN `rule.id.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.id.type`,
  SUM(CASE WHEN `rule.event_ts.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.event_ts.not_null`,
  SUM(CASE WHEN `rule.event_ts.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.event_ts.type`,
  SUM(CASE WHEN `rule.amount.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.amount.type`,
  SUM(CASE WHEN `rule.id.length` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.id.length`,
  SUM(CASE WHEN `rule.amount.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.amount.not_null`,
  SUM(CASE WHEN `rule.amount.negative` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.amount.negative`,
  SUM(CASE WHEN `rule.event_ts.future` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.event_ts.future`
FROM `dq-onprem-sales.events.judged` AS `s` CROSS JOIN UNNEST(ARRAY[ROW('dq-onprem-sales.events', `record.kafka_ms` - MOD(MOD(`record.kafka_ms`, 60000) + 60000, 60000))]) AS `c` (`record.job`, `record.minute`)
GROUP BY `record.job`, `record.minute`;

DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.events.dq_metrics_valid`;

CREATE TEMPORARY TABLE `dq-onprem-sales.events.dq_metrics_valid` (
  `job_name` STRING,
  `window_start` BIGINT,
  `metric_ts` BIGINT,
  `dc` STRING,
  `table` STRING,
  `valid_count` BIGINT,
  `warned_count` BIGINT,
  `total_count` BIGINT,
  `rules_version` STRING,
  PRIMARY KEY (`job_name`, `window_start`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'dq_metrics_valid',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.events.dq_metrics_invalid`;

CREATE TEMPORARY TABLE `dq-onprem-sales.events.dq_metrics_invalid` (
  `job_name` STRING,
  `window_start` BIGINT,
  `metric_ts` BIGINT,
  `dc` STRING,
  `table` STRING,
  `invalid_count` BIGINT,
  `total_count` BIGINT,
  `by_rule` ROW<`json` BIGINT, `id.not_null` BIGINT, `id.type` BIGINT, `event_ts.not_null` BIGINT, `event_ts.type` BIGINT, `amount.type` BIGINT, `id.length` BIGINT, `amount.not_null` BIGINT, `amount.negative` BIGINT, `event_ts.future` BIGINT>,
  `rules_version` STRING,
  PRIMARY KEY (`job_name`, `window_start`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'dq_metrics_invalid',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.events.dq_counts`;

CREATE TEMPORARY TABLE `dq-onprem-sales.events.dq_counts` (
  `job_name` STRING,
  `metric_ts` TIMESTAMP_LTZ(3),
  `metric_type` STRING,
  `metric_value` BIGINT,
  PRIMARY KEY (`job_name`, `metric_ts`, `metric_type`) NOT ENFORCED
) WITH (
  'connector' = 'cassandra',
  'hosts' = '127.0.0.1',
  'port' = '9042',
  'datacenter' = 'DC_ONPREM',
  'allowed-networks' = '127.0.0.1/32',
  'keyspace' = 'metrics',
  'table' = 'dq_counts'
);

-- One job: every output sees the same records, also after a restart.
EXECUTE STATEMENT SET BEGIN
INSERT INTO `dq-onprem-sales.events.valid` (`id`, `event_ts`, `amount`, `record_hash`)
SELECT
  COUNT_VALID(`id`),
  `event_ts`,
  `amount`,
  ROW_HASH('sales.events', `id`, `amount`, `event_ts`)
FROM `dq-onprem-sales.events.judged`
WHERE `verdict.failed` = '';
INSERT INTO `dq-onprem-sales.events.dead_letters` (`key`, `headers`, `job`, `topic`, `partition`, `offset`, `kafka_ts`, `payload`, `payload_base64`, `failed`, `warned`, `rules_version`)
SELECT
  `record.key`,
  `record.headers`,
  'dq-onprem-sales.events',
  `record.topic`,
  `record.partition`,
  `record.offset`,
  `record.kafka_ms`,
  `record.payload`,
  CASE WHEN `record.payload` IS NULL THEN `record.value` END,
  RULE_LIST(COUNT_INVALID(`verdict.failed`)),
  RULE_LIST(`verdict.warned`),
  'f2d9f513669d162f95f571c5e364597e3aff12ea88519bf10914a8eb86914cf8'
FROM `dq-onprem-sales.events.judged`
WHERE `verdict.failed` <> '';
INSERT INTO `dq-onprem-sales.events.dq_metrics_valid` (`job_name`, `window_start`, `metric_ts`, `dc`, `table`, `valid_count`, `warned_count`, `total_count`, `rules_version`)
SELECT `job_name`, `window_start`, `window_start` + 60000, 'DC_ONPREM', 'sales.events', `valid_count`, `warned_count`, `valid_count` + `invalid_count`, 'f2d9f513669d162f95f571c5e364597e3aff12ea88519bf10914a8eb86914cf8'
FROM `dq-onprem-sales.events.windows`;
INSERT INTO `dq-onprem-sales.events.dq_metrics_invalid` (`job_name`, `window_start`, `metric_ts`, `dc`, `table`, `invalid_count`, `total_count`, `by_rule`, `rules_version`)
SELECT `job_name`, `window_start`, `window_start` + 60000, 'DC_ONPREM', 'sales.events', `invalid_count`, `valid_count` + `invalid_count`, CAST(ROW(`rule.json`, `rule.id.not_null`, `rule.id.type`, `rule.event_ts.not_null`, `rule.event_ts.type`, `rule.amount.type`, `rule.id.length`, `rule.amount.not_null`, `rule.amount.negative`, `rule.event_ts.future`) AS ROW<`json` BIGINT, `id.not_null` BIGINT, `id.type` BIGINT, `event_ts.not_null` BIGINT, `event_ts.type` BIGINT, `amount.type` BIGINT, `id.length` BIGINT, `amount.not_null` BIGINT, `amount.negative` BIGINT, `event_ts.future` BIGINT>), 'f2d9f513669d162f95f571c5e364597e3aff12ea88519bf10914a8eb86914cf8'
FROM `dq-onprem-sales.events.windows`;
INSERT INTO `dq-onprem-sales.events.dq_counts` (`job_name`, `metric_ts`, `metric_type`, `metric_value`)
SELECT `job_name`, TO_TIMESTAMP_LTZ(`window_start` + 60000, 3), 'valid', `valid_count`
FROM `dq-onprem-sales.events.windows`;
INSERT INTO `dq-onprem-sales.events.dq_counts` (`job_name`, `metric_ts`, `metric_type`, `metric_value`)
SELECT `job_name`, TO_TIMESTAMP_LTZ(`window_start` + 60000, 3), 'invalid', `invalid_count`
FROM `dq-onprem-sales.events.windows`;
END;
