-- dq-cloud-sales.events: where valid rows go. 04 writes them, together with everything else of the job.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- The one data centre that this job writes to. Writes carry the row's version as their time: a row that is
-- written again changes nothing, an older one changes nothing that is newer.
DROP TEMPORARY TABLE IF EXISTS `dq-cloud-sales.events.valid`;

CREATE TEMPORARY TABLE `dq-cloud-sales.events.valid` (
  `id` STRING,
  `event_ts` TIMESTAMP(3),
  `amount` DOUBLE,
  `record_hash` STRING,
  PRIMARY KEY (`id`) NOT ENFORCED
) WITH (
  'connector' = 'cassandra',
  'hosts' = '127.0.0.2',
  'port' = '9042',
  'datacenter' = 'DC_AZURE',
  'allowed-networks' = '127.0.0.2/32',
  'keyspace' = 'sales',
  'table' = 'events',
  'write-timestamp-column' = 'event_ts',
  'null-columns' = 'null'
);
