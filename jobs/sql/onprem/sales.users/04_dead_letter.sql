-- dq-onprem-sales.users: broken records, counters, and the statement that starts the job.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Each broken record exactly once, with its own key and headers; readers must be read_committed.
DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.users.dead_letters`;

CREATE TEMPORARY TABLE `dq-onprem-sales.users.dead_letters` (
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
  'topic' = 'onprem.dlq.sales.users',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'dq-onprem-sales.users',
  'properties.transaction.timeout.ms' = '600000',
  'properties.max.request.size' = '16777216',
  'key.format' = 'raw',
  'key.fields' = 'key',
  'value.format' = 'json',
  'value.fields-include' = 'EXCEPT_KEY'
);

-- Counters of a minute of Kafka time; they grow while its records come. Job and minute are the key, as in the
-- topics: so a count is written over the one before, and none is taken back.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.windows`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.windows` AS
SELECT
  `record.job` AS `job_name`,
  `record.minute` AS `window_start`,
  SUM(CASE WHEN `verdict.failed` = '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `valid_count`,
  SUM(CASE WHEN `verdict.failed` = '' AND `verdict.warned` <> '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `warned_count`,
  SUM(CASE WHEN `verdict.failed` <> '' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `invalid_count`,
  SUM(CASE WHEN `rule.json` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.json`,
  SUM(CASE WHEN `rule.id.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.id.not_null`,
  SUM(CASE WHEN `rule.id.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.id.type`,
  SUM(CASE WHEN `rule.tenant_id.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.tenant_id.type`,
  SUM(CASE WHEN `rule.oidc_name.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.oidc_name.type`,
  SUM(CASE WHEN `rule.username.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.username.type`,
  SUM(CASE WHEN `rule.first_name.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.first_name.type`,
  SUM(CASE WHEN `rule.last_name.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.last_name.type`,
  SUM(CASE WHEN `rule.email.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.email.type`,
  SUM(CASE WHEN `rule.status.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.status.type`,
  SUM(CASE WHEN `rule.auth_date.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.auth_date.type`,
  SUM(CASE WHEN `rule.creation_date.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.creation_date.type`,
  SUM(CASE WHEN `rule.updation_date.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.updation_date.type`,
  SUM(CASE WHEN `rule.updated_by.type` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.updated_by.type`,
  SUM(CASE WHEN `rule.tenant_id.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.tenant_id.not_null`,
  SUM(CASE WHEN `rule.username.not_null` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.username.not_null`,
  SUM(CASE WHEN `rule.email.regex` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.email.regex`,
  SUM(CASE WHEN `rule.status.enum` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.status.enum`,
  SUM(CASE WHEN `rule.users.updated_before_created` THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS `rule.users.updated_before_created`
FROM `dq-onprem-sales.users.judged` AS `s` CROSS JOIN UNNEST(ARRAY[ROW('dq-onprem-sales.users', `record.kafka_ms` - MOD(MOD(`record.kafka_ms`, 60000) + 60000, 60000))]) AS `c` (`record.job`, `record.minute`)
GROUP BY `record.job`, `record.minute`;

DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.users.dq_metrics_valid`;

CREATE TEMPORARY TABLE `dq-onprem-sales.users.dq_metrics_valid` (
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

DROP TEMPORARY TABLE IF EXISTS `dq-onprem-sales.users.dq_metrics_invalid`;

CREATE TEMPORARY TABLE `dq-onprem-sales.users.dq_metrics_invalid` (
  `job_name` STRING,
  `window_start` BIGINT,
  `metric_ts` BIGINT,
  `dc` STRING,
  `table` STRING,
  `invalid_count` BIGINT,
  `total_count` BIGINT,
  `by_rule` ROW<`json` BIGINT, `id.not_null` BIGINT, `id.type` BIGINT, `tenant_id.type` BIGINT, `oidc_name.type` BIGINT, `username.type` BIGINT, `first_name.type` BIGINT, `last_name.type` BIGINT, `email.type` BIGINT, `status.type` BIGINT, `auth_date.type` BIGINT, `creation_date.type` BIGINT, `updation_date.type` BIGINT, `updated_by.type` BIGINT, `tenant_id.not_null` BIGINT, `username.not_null` BIGINT, `email.regex` BIGINT, `status.enum` BIGINT, `users.updated_before_created` BIGINT>,
  `rules_version` STRING,
  PRIMARY KEY (`job_name`, `window_start`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'dq_metrics_invalid',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- One job: every output sees the same records, also after a restart.
EXECUTE STATEMENT SET BEGIN
INSERT INTO `dq-onprem-sales.users.valid` (`id`)
SELECT COUNT_VALID(CAST(`id` AS STRING))
FROM `dq-onprem-sales.users.judged`
WHERE `verdict.failed` = '';
INSERT INTO `dq-onprem-sales.users.dead_letters` (`key`, `headers`, `job`, `topic`, `partition`, `offset`, `kafka_ts`, `payload`, `payload_base64`, `failed`, `warned`, `rules_version`)
SELECT
  `record.key`,
  `record.headers`,
  'dq-onprem-sales.users',
  `record.topic`,
  `record.partition`,
  `record.offset`,
  `record.kafka_ms`,
  `record.payload`,
  CASE WHEN `record.payload` IS NULL THEN `record.value` END,
  RULE_LIST(COUNT_INVALID(`verdict.failed`)),
  RULE_LIST(`verdict.warned`),
  'ca3f6af7d3d2eb8b964bc40abe7f2d954e08c7a4c654331f0bdf7777f798d85b'
FROM `dq-onprem-sales.users.judged`
WHERE `verdict.failed` <> '';
INSERT INTO `dq-onprem-sales.users.dq_metrics_valid` (`job_name`, `window_start`, `metric_ts`, `dc`, `table`, `valid_count`, `warned_count`, `total_count`, `rules_version`)
SELECT `job_name`, `window_start`, `window_start` + 60000, 'DC_ONPREM', 'sales.users', `valid_count`, `warned_count`, `valid_count` + `invalid_count`, 'ca3f6af7d3d2eb8b964bc40abe7f2d954e08c7a4c654331f0bdf7777f798d85b'
FROM `dq-onprem-sales.users.windows`;
INSERT INTO `dq-onprem-sales.users.dq_metrics_invalid` (`job_name`, `window_start`, `metric_ts`, `dc`, `table`, `invalid_count`, `total_count`, `by_rule`, `rules_version`)
SELECT `job_name`, `window_start`, `window_start` + 60000, 'DC_ONPREM', 'sales.users', `invalid_count`, `valid_count` + `invalid_count`, CAST(ROW(`rule.json`, `rule.id.not_null`, `rule.id.type`, `rule.tenant_id.type`, `rule.oidc_name.type`, `rule.username.type`, `rule.first_name.type`, `rule.last_name.type`, `rule.email.type`, `rule.status.type`, `rule.auth_date.type`, `rule.creation_date.type`, `rule.updation_date.type`, `rule.updated_by.type`, `rule.tenant_id.not_null`, `rule.username.not_null`, `rule.email.regex`, `rule.status.enum`, `rule.users.updated_before_created`) AS ROW<`json` BIGINT, `id.not_null` BIGINT, `id.type` BIGINT, `tenant_id.type` BIGINT, `oidc_name.type` BIGINT, `username.type` BIGINT, `first_name.type` BIGINT, `last_name.type` BIGINT, `email.type` BIGINT, `status.type` BIGINT, `auth_date.type` BIGINT, `creation_date.type` BIGINT, `updation_date.type` BIGINT, `updated_by.type` BIGINT, `tenant_id.not_null` BIGINT, `username.not_null` BIGINT, `email.regex` BIGINT, `status.enum` BIGINT, `users.updated_before_created` BIGINT>), 'ca3f6af7d3d2eb8b964bc40abe7f2d954e08c7a4c654331f0bdf7777f798d85b'
FROM `dq-onprem-sales.users.windows`;
END;
