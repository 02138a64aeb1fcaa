-- A job as `cdc-jobs sql` writes them, small: orders that are JSON go one way, the others another, and both are counted.
-- The addresses are no secrets, but stand where secrets do.
SET 'pipeline.name' = 'dq-onprem-orders';
SET 'execution.checkpointing.interval' = '1 s';
SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';
SET 'state.checkpoints.dir' = 'file:///nowhere';
SET 'table.local-time-zone' = 'UTC';

CREATE TEMPORARY TABLE `orders` (
  `payload` STRING,
  `partition` INT METADATA VIRTUAL,
  `offset` BIGINT METADATA VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = '${env:SUBMIT_TEST_BROKERS}',
  'properties.group.id' = 'dq-onprem-orders',
  'properties.auto.offset.reset' = 'earliest',
  'scan.startup.mode' = 'group-offsets',
  'format' = 'raw'
);
