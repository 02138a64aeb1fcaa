-- dq-onprem-sales.users: the rules of version ca3f6af7d3d2eb8b964bc40abe7f2d954e08c7a4c654331f0bdf7777f798d85b.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.
-- x is a typed column, x:text the text of its field, x:nested whether that is an object or array, rule.x whether
-- the rule is broken, verdict.failed and verdict.warned the broken rules, joined by commas.

-- The value as text. What is not UTF-8 has none: the cast puts other characters in its place.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.payload`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.payload` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.source` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
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
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.change`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.change` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.payload` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
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
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.events`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.events` AS
SELECT `record.key`, `record.value`, `record.topic`, `record.partition`, `record.offset`, `record.timestamp`, `record.headers`, `kafka_ts`, `record.kafka_ms`, `record.payload`, `record.op`, `record.event_id`, `record.is_row`, `record.is_other`, `record.is_repeat`
FROM (
  SELECT *,
    REPEATED_EVENT(CASE WHEN `record.is_row` THEN `record.event_id` END, `record.kafka_ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT)) OVER (PARTITION BY `record.partition` ORDER BY `record.arrival`) AS `record.is_repeat`
  FROM (SELECT *, PROCTIME() AS `record.arrival` FROM `dq-onprem-sales.users.change` WHERE `record.value` IS NOT NULL AND NOT `record.is_other`)
) WHERE `record.is_repeat` IS NOT TRUE;

-- What the payload says of each column.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.texts`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.texts` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.events` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `record.is_object`
  `record.is_row`,
  -- `record.write_time`
  JSON_VALUE(`record.payload`, '$.source.ts_us'),
  -- `id:text`
  JSON_VALUE(`record.payload`, '$.after.id'),
  -- `id:nested`
  JSON_QUERY(`record.payload`, '$.after.id') IS NOT NULL,
  -- `tenant_id:text`
  JSON_VALUE(`record.payload`, '$.after.tenant_id'),
  -- `tenant_id:nested`
  JSON_QUERY(`record.payload`, '$.after.tenant_id') IS NOT NULL,
  -- `oidc_name:text`
  JSON_VALUE(`record.payload`, '$.after.oidc_name'),
  -- `oidc_name:nested`
  JSON_QUERY(`record.payload`, '$.after.oidc_name') IS NOT NULL,
  -- `username:text`
  JSON_VALUE(`record.payload`, '$.after.username'),
  -- `username:nested`
  JSON_QUERY(`record.payload`, '$.after.username') IS NOT NULL,
  -- `first_name:text`
  JSON_VALUE(`record.payload`, '$.after.first_name'),
  -- `first_name:nested`
  JSON_QUERY(`record.payload`, '$.after.first_name') IS NOT NULL,
  -- `last_name:text`
  JSON_VALUE(`record.payload`, '$.after.last_name'),
  -- `last_name:nested`
  JSON_QUERY(`record.payload`, '$.after.last_name') IS NOT NULL,
  -- `email:text`
  JSON_VALUE(`record.payload`, '$.after.email'),
  -- `email:nested`
  JSON_QUERY(`record.payload`, '$.after.email') IS NOT NULL,
  -- `status:text`
  JSON_VALUE(`record.payload`, '$.after.status'),
  -- `status:nested`
  JSON_QUERY(`record.payload`, '$.after.status') IS NOT NULL,
  -- `auth_date:text`
  JSON_VALUE(`record.payload`, '$.after.auth_date'),
  -- `auth_date:nested`
  JSON_QUERY(`record.payload`, '$.after.auth_date') IS NOT NULL,
  -- `creation_date:text`
  JSON_VALUE(`record.payload`, '$.after.creation_date'),
  -- `creation_date:nested`
  JSON_QUERY(`record.payload`, '$.after.creation_date') IS NOT NULL,
  -- `updation_date:text`
  JSON_VALUE(`record.payload`, '$.after.updation_date'),
  -- `updation_date:nested`
  JSON_QUERY(`record.payload`, '$.after.updation_date') IS NOT NULL,
  -- `updated_by:text`
  JSON_VALUE(`record.payload`, '$.after.updated_by'),
  -- `updated_by:nested`
  JSON_QUERY(`record.payload`, '$.after.updated_by') IS NOT NULL,
  -- `id:carried`
  COALESCE(JSON_QUERY(`record.payload`, '$.after[''id'', ''id'']') <> '{}', FALSE),
  -- `tenant_id:carried`
  COALESCE(JSON_QUERY(`record.payload`, '$.after[''tenant_id'', ''tenant_id'']') <> '{}', FALSE),
  -- `username:carried`
  COALESCE(JSON_QUERY(`record.payload`, '$.after[''username'', ''username'']') <> '{}', FALSE)
)]) AS `c` (
  `record.is_object`,
  `record.write_time`,
  `id:text`,
  `id:nested`,
  `tenant_id:text`,
  `tenant_id:nested`,
  `oidc_name:text`,
  `oidc_name:nested`,
  `username:text`,
  `username:nested`,
  `first_name:text`,
  `first_name:nested`,
  `last_name:text`,
  `last_name:nested`,
  `email:text`,
  `email:nested`,
  `status:text`,
  `status:nested`,
  `auth_date:text`,
  `auth_date:nested`,
  `creation_date:text`,
  `creation_date:nested`,
  `updation_date:text`,
  `updation_date:nested`,
  `updated_by:text`,
  `updated_by:nested`,
  `id:carried`,
  `tenant_id:carried`,
  `username:carried`
);

-- Texts that are values of their types; the casts alone would take more.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.values`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.values` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.texts` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `record.write_time_us`
  NULLIF(CASE WHEN REGEXP(`record.write_time`, '^[-+]?[0-9]{1,20}\z') THEN TRY_CAST(`record.write_time` AS BIGINT) END, CAST('-9223372036854775808' AS BIGINT)),
  -- `id`: int
  CASE WHEN REGEXP(`id:text`, '^[-+]?[0-9]{1,20}\z') AND TRY_CAST(`id:text` AS BIGINT) BETWEEN -2147483648 AND 2147483647 THEN TRY_CAST(`id:text` AS BIGINT) END,
  -- `tenant_id`: text
  `tenant_id:text`,
  -- `oidc_name`: text
  `oidc_name:text`,
  -- `username`: text
  `username:text`,
  -- `first_name`: text
  `first_name:text`,
  -- `last_name`: text
  `last_name:text`,
  -- `email`: text
  `email:text`,
  -- `status`: int
  CASE WHEN REGEXP(`status:text`, '^[-+]?[0-9]{1,20}\z') AND TRY_CAST(`status:text` AS BIGINT) BETWEEN -2147483648 AND 2147483647 THEN TRY_CAST(`status:text` AS BIGINT) END,
  -- `auth_date`: timestamp
  CASE WHEN REGEXP(`auth_date:text`, '^[-+]?[0-9]{1,20}\z') AND TRY_CAST(`auth_date:text` AS BIGINT) BETWEEN -62135596800000 AND 253402300799999 THEN CAST(TO_TIMESTAMP_LTZ(TRY_CAST(`auth_date:text` AS BIGINT), 3) AS TIMESTAMP(3)) END,
  -- `creation_date`: timestamp
  CASE WHEN REGEXP(`creation_date:text`, '^[-+]?[0-9]{1,20}\z') AND TRY_CAST(`creation_date:text` AS BIGINT) BETWEEN -62135596800000 AND 253402300799999 THEN CAST(TO_TIMESTAMP_LTZ(TRY_CAST(`creation_date:text` AS BIGINT), 3) AS TIMESTAMP(3)) END,
  -- `updation_date`: timestamp
  CASE WHEN REGEXP(`updation_date:text`, '^[-+]?[0-9]{1,20}\z') AND TRY_CAST(`updation_date:text` AS BIGINT) BETWEEN -62135596800000 AND 253402300799999 THEN CAST(TO_TIMESTAMP_LTZ(TRY_CAST(`updation_date:text` AS BIGINT), 3) AS TIMESTAMP(3)) END,
  -- `updated_by`: text
  `updated_by:text`
)]) AS `c` (
  `record.write_time_us`,
  `id`,
  `tenant_id`,
  `oidc_name`,
  `username`,
  `first_name`,
  `last_name`,
  `email`,
  `status`,
  `auth_date`,
  `creation_date`,
  `updation_date`,
  `updated_by`
);

-- Whether a rule is broken: TRUE or FALSE.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.rules`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.rules` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.values` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `rule.json`: fail
  (NOT `record.is_object`) IS TRUE,
  -- `rule.id.not_null`: fail
  (`record.is_object` AND ((`id` IS NULL) AND (NOT ((`id:text` IS NOT NULL AND `id` IS NULL) OR `id:nested`)) AND `id:carried`)) IS TRUE,
  -- `rule.id.type`: fail
  (`record.is_object` AND ((`id:text` IS NOT NULL AND `id` IS NULL) OR `id:nested`)) IS TRUE,
  -- `rule.tenant_id.type`: fail
  (`record.is_object` AND ((`tenant_id:text` IS NOT NULL AND `tenant_id` IS NULL) OR `tenant_id:nested`)) IS TRUE,
  -- `rule.oidc_name.type`: fail
  (`record.is_object` AND ((`oidc_name:text` IS NOT NULL AND `oidc_name` IS NULL) OR `oidc_name:nested`)) IS TRUE,
  -- `rule.username.type`: fail
  (`record.is_object` AND ((`username:text` IS NOT NULL AND `username` IS NULL) OR `username:nested`)) IS TRUE,
  -- `rule.first_name.type`: fail
  (`record.is_object` AND ((`first_name:text` IS NOT NULL AND `first_name` IS NULL) OR `first_name:nested`)) IS TRUE,
  -- `rule.last_name.type`: fail
  (`record.is_object` AND ((`last_name:text` IS NOT NULL AND `last_name` IS NULL) OR `last_name:nested`)) IS TRUE,
  -- `rule.email.type`: fail
  (`record.is_object` AND ((`email:text` IS NOT NULL AND `email` IS NULL) OR `email:nested`)) IS TRUE,
  -- `rule.status.type`: fail
  (`record.is_object` AND ((`status:text` IS NOT NULL AND `status` IS NULL) OR `status:nested`)) IS TRUE,
  -- `rule.auth_date.type`: fail
  (`record.is_object` AND ((`auth_date:text` IS NOT NULL AND `auth_date` IS NULL) OR `auth_date:nested`)) IS TRUE,
  -- `rule.creation_date.type`: fail
  (`record.is_object` AND ((`creation_date:text` IS NOT NULL AND `creation_date` IS NULL) OR `creation_date:nested`)) IS TRUE,
  -- `rule.updation_date.type`: fail
  (`record.is_object` AND ((`updation_date:text` IS NOT NULL AND `updation_date` IS NULL) OR `updation_date:nested`)) IS TRUE,
  -- `rule.updated_by.type`: fail
  (`record.is_object` AND ((`updated_by:text` IS NOT NULL AND `updated_by` IS NULL) OR `updated_by:nested`)) IS TRUE,
  -- `rule.tenant_id.not_null`: fail
  (`record.is_object` AND ((`tenant_id` IS NULL) AND (NOT ((`tenant_id:text` IS NOT NULL AND `tenant_id` IS NULL) OR `tenant_id:nested`)) AND `tenant_id:carried`)) IS TRUE,
  -- `rule.username.not_null`: fail
  (`record.is_object` AND ((`username` IS NULL) AND (NOT ((`username:text` IS NOT NULL AND `username` IS NULL) OR `username:nested`)) AND `username:carried`)) IS TRUE,
  -- `rule.email.regex`: fail
  (`record.is_object` AND (NOT REGEXP(`email`, '^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){1,10}\z'))) IS TRUE,
  -- `rule.status.enum`: fail
  (`record.is_object` AND (NOT (`status` IN (0, 1, 2)))) IS TRUE,
  -- `rule.users.updated_before_created`: fail
  (`record.is_object` AND (NOT (`updation_date` >= `creation_date`))) IS TRUE,
  -- `rule.users.login_before_creation`: warn; an active user logged in before the account existed
  (`record.is_object` AND ((`status` = 1) IS TRUE) AND (NOT (`auth_date` >= `creation_date`))) IS TRUE
)]) AS `c` (
  `rule.json`,
  `rule.id.not_null`,
  `rule.id.type`,
  `rule.tenant_id.type`,
  `rule.oidc_name.type`,
  `rule.username.type`,
  `rule.first_name.type`,
  `rule.last_name.type`,
  `rule.email.type`,
  `rule.status.type`,
  `rule.auth_date.type`,
  `rule.creation_date.type`,
  `rule.updation_date.type`,
  `rule.updated_by.type`,
  `rule.tenant_id.not_null`,
  `rule.username.not_null`,
  `rule.email.regex`,
  `rule.status.enum`,
  `rule.users.updated_before_created`,
  `rule.users.login_before_creation`
);

-- The broken rules, in their order.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.verdicts`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.verdicts` AS
SELECT `s`.*, `c`.*
FROM `dq-onprem-sales.users.rules` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `verdict.failed`
  CONCAT_WS(',', CASE WHEN `rule.json` THEN 'json' END, CASE WHEN `rule.id.not_null` THEN 'id.not_null' END, CASE WHEN `rule.id.type` THEN 'id.type' END, CASE WHEN `rule.tenant_id.type` THEN 'tenant_id.type' END, CASE WHEN `rule.oidc_name.type` THEN 'oidc_name.type' END, CASE WHEN `rule.username.type` THEN 'username.type' END, CASE WHEN `rule.first_name.type` THEN 'first_name.type' END, CASE WHEN `rule.last_name.type` THEN 'last_name.type' END, CASE WHEN `rule.email.type` THEN 'email.type' END, CASE WHEN `rule.status.type` THEN 'status.type' END, CASE WHEN `rule.auth_date.type` THEN 'auth_date.type' END, CASE WHEN `rule.creation_date.type` THEN 'creation_date.type' END, CASE WHEN `rule.updation_date.type` THEN 'updation_date.type' END, CASE WHEN `rule.updated_by.type` THEN 'updated_by.type' END, CASE WHEN `rule.tenant_id.not_null` THEN 'tenant_id.not_null' END, CASE WHEN `rule.username.not_null` THEN 'username.not_null' END, CASE WHEN `rule.email.regex` THEN 'email.regex' END, CASE WHEN `rule.status.enum` THEN 'status.enum' END, CASE WHEN `rule.users.updated_before_created` THEN 'users.updated_before_created' END),
  -- `verdict.warned`
  CONCAT_WS(',', CASE WHEN `rule.users.login_before_creation` THEN 'users.login_before_creation' END)
)]) AS `c` (
  `verdict.failed`,
  `verdict.warned`
);

-- What 03 and 04 read.
DROP TEMPORARY VIEW IF EXISTS `dq-onprem-sales.users.judged`;

CREATE TEMPORARY VIEW `dq-onprem-sales.users.judged` AS
SELECT * FROM `dq-onprem-sales.users.verdicts`;
