CREATE TEMPORARY VIEW `judged` AS
SELECT *, `payload` IS JSON OBJECT AS `is_valid` FROM `orders`;

CREATE TEMPORARY TABLE `valid` (`payload` STRING) WITH (
  'connector' = 'kafka',
  'topic' = 'valid',
  'properties.bootstrap.servers' = '${env:SUBMIT_TEST_BROKERS}',
  'properties.transaction.timeout.ms' = '600000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'dq-onprem-orders-valid',
  'format' = 'raw'
);

CREATE TEMPORARY TABLE `dead_letters` (`payload` STRING, `partition` INT, `offset` BIGINT) WITH (
  'connector' = 'kafka',
  'topic' = 'dead_letters',
  'properties.bootstrap.servers' = '${env:SUBMIT_TEST_BROKERS}',
  'properties.transaction.timeout.ms' = '600000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'dq-onprem-orders-dead-letters',
  'format' = 'json'
);

CREATE TEMPORARY TABLE `counts` (`is_valid` BOOLEAN, `count` BIGINT, PRIMARY KEY (`is_valid`) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'counts',
  'properties.bootstrap.servers' = '${env:SUBMIT_TEST_BROKERS}',
  'properties.transaction.timeout.ms' = '600000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'dq-onprem-orders-counts',
  'key.format' = 'json',
  'value.format' = 'json'
);

EXECUTE STATEMENT SET BEGIN
INSERT INTO `valid` SELECT `payload` FROM `judged` WHERE `is_valid`;
INSERT INTO `dead_letters` SELECT `payload`, `partition`, `offset` FROM `judged` WHERE NOT `is_valid`;
INSERT INTO `counts` SELECT `is_valid`, COUNT(CASE WHEN TRUE THEN 1 END) FROM `judged` GROUP BY `is_valid`;
END;
