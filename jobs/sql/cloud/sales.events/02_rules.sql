-- dq-cloud-sales.events: the rules of version f2d9f513669d162f95f571c5e364597e3aff12ea88519bf10914a8eb86914cf8.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.
-- x is a typed column, x:text the text of its field, x:nested whether that is an object or array, rule.x whether
-- the rule is broken, verdict.failed and verdict.warned the broken rules, joined by commas.

-- The value as text. What is not UTF-8 has none: the cast puts other characters in its place.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.payload`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.payload` AS
SELECT `s`.*, `c`.*
FROM `dq-cloud-sales.events.source` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
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

-- What the payload says of each column.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.texts`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.texts` AS
SELECT `s`.*, `c`.*
FROM `dq-cloud-sales.events.payload` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `record.is_object`
  (`record.payload` IS JSON OBJECT AND CONCAT('[', `record.payload`, ']') IS JSON ARRAY AND CONCAT('{"":', `record.payload`, '}') IS JSON OBJECT),
  -- `id:text`
  JSON_VALUE(`record.payload`, '$.id'),
  -- `id:nested`
  JSON_QUERY(`record.payload`, '$.id') IS NOT NULL,
  -- `event_ts:text`
  JSON_VALUE(`record.payload`, '$.event_ts'),
  -- `event_ts:nested`
  JSON_QUERY(`record.payload`, '$.event_ts') IS NOT NULL,
  -- `amount:text`
  JSON_VALUE(`record.payload`, '$.value'),
  -- `amount:nested`
  JSON_QUERY(`record.payload`, '$.value') IS NOT NULL
)]) AS `c` (
  `record.is_object`,
  `id:text`,
  `id:nested`,
  `event_ts:text`,
  `event_ts:nested`,
  `amount:text`,
  `amount:nested`
);

-- Texts that are values of their types; the casts alone would take more.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.values`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.values` AS
SELECT `s`.*, `c`.*
FROM `dq-cloud-sales.events.texts` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `id`: text
  `id:text`,
  -- `event_ts`: timestamp
  CASE WHEN REGEXP(`event_ts:text`, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?Z\z') AND DATE_FORMAT(TRY_CAST(REPLACE(REPLACE(`event_ts:text`, 'T', ' '), 'Z', '') AS TIMESTAMP(3)), 'yyyy-MM-dd') = SUBSTRING(`event_ts:text`, 1, 10) THEN TRY_CAST(REPLACE(REPLACE(`event_ts:text`, 'T', ' '), 'Z', '') AS TIMESTAMP(3)) END,
  -- `amount`: double
  CASE WHEN REGEXP(`amount:text`, '^[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?\z') AND ABS(TRY_CAST(`amount:text` AS DOUBLE)) <= 1.7976931348623157E308 THEN TRY_CAST(`amount:text` AS DOUBLE) END
)]) AS `c` (
  `id`,
  `event_ts`,
  `amount`
);

-- Whether a rule is broken: TRUE or FALSE.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.rules`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.rules` AS
SELECT `s`.*, `c`.*
FROM `dq-cloud-sales.events.values` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `rule.json`: fail
  (NOT `record.is_object`) IS TRUE,
  -- `rule.id.not_null`: fail
  (`record.is_object` AND ((`id` IS NULL) AND (NOT ((`id:text` IS NOT NULL AND `id` IS NULL) OR `id:nested`)))) IS TRUE,
  -- `rule.id.type`: fail
  (`record.is_object` AND ((`id:text` IS NOT NULL AND `id` IS NULL) OR `id:nested`)) IS TRUE,
  -- `rule.event_ts.not_null`: fail
  (`record.is_object` AND ((`event_ts` IS NULL) AND (NOT ((`event_ts:text` IS NOT NULL AND `event_ts` IS NULL) OR `event_ts:nested`)))) IS TRUE,
  -- `rule.event_ts.type`: fail
  (`record.is_object` AND ((`event_ts:text` IS NOT NULL AND `event_ts` IS NULL) OR `event_ts:nested`)) IS TRUE,
  -- `rule.amount.type`: fail
  (`record.is_object` AND ((`amount:text` IS NOT NULL AND `amount` IS NULL) OR `amount:nested`)) IS TRUE,
  -- `rule.id.length`: fail
  (`record.is_object` AND ((CHAR_LENGTH(`id`) < 1) OR (CHAR_LENGTH(`id`) > 64))) IS TRUE,
  -- `rule.amount.not_null`: fail; a sale without a value
  (`record.is_object` AND ((`amount` IS NULL) AND (NOT ((`amount:text` IS NOT NULL AND `amount` IS NULL) OR `amount:nested`)))) IS TRUE,
  -- `rule.amount.negative`: fail; the value of a sale is never negative
  (`record.is_object` AND (`amount` < 0E0)) IS TRUE,
  -- `rule.amount.large`: warn
  (`record.is_object` AND (`amount` > 1E6)) IS TRUE,
  -- `rule.event_ts.future`: fail
  (`record.is_object` AND (`event_ts` > TIMESTAMPADD(SECOND, 300, `kafka_ts`))) IS TRUE,
  -- `rule.event_ts.freshness`: warn
  (`record.is_object` AND (`event_ts` < TIMESTAMPADD(SECOND, -315360000, `kafka_ts`))) IS TRUE
)]) AS `c` (
  `rule.json`,
  `rule.id.not_null`,
  `rule.id.type`,
  `rule.event_ts.not_null`,
  `rule.event_ts.type`,
  `rule.amount.type`,
  `rule.id.length`,
  `rule.amount.not_null`,
  `rule.amount.negative`,
  `rule.amount.large`,
  `rule.event_ts.future`,
  `rule.event_ts.freshness`
);

-- The broken rules, in their order.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.verdicts`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.verdicts` AS
SELECT `s`.*, `c`.*
FROM `dq-cloud-sales.events.rules` AS `s` CROSS JOIN UNNEST(ARRAY[ROW(
  -- `verdict.failed`
  CONCAT_WS(',', CASE WHEN `rule.json` THEN 'json' END, CASE WHEN `rule.id.not_null` THEN 'id.not_null' END, CASE WHEN `rule.id.type` THEN 'id.type' END, CASE WHEN `rule.event_ts.not_null` THEN 'event_ts.not_null' END, CASE WHEN `rule.event_ts.type` THEN 'event_ts.type' END, CASE WHEN `rule.amount.type` THEN 'amount.type' END, CASE WHEN `rule.id.length` THEN 'id.length' END, CASE WHEN `rule.amount.not_null` THEN 'amount.not_null' END, CASE WHEN `rule.amount.negative` THEN 'amount.negative' END, CASE WHEN `rule.event_ts.future` THEN 'event_ts.future' END),
  -- `verdict.warned`
  CONCAT_WS(',', CASE WHEN `rule.amount.large` THEN 'amount.large' END, CASE WHEN `rule.event_ts.freshness` THEN 'event_ts.freshness' END)
)]) AS `c` (
  `verdict.failed`,
  `verdict.warned`
);

-- What 03 and 04 read.
DROP TEMPORARY VIEW IF EXISTS `dq-cloud-sales.events.judged`;

CREATE TEMPORARY VIEW `dq-cloud-sales.events.judged` AS
SELECT * FROM `dq-cloud-sales.events.verdicts`;
