-- dq-cloud-sales.users: where valid rows go. 04 writes them, together with everything else of the job.
-- Written by `cdc-jobs sql`: edit the rules and run it again; a change here is overwritten.

-- Nowhere: the rules say `sink: none`. They are counted alone.
DROP TEMPORARY TABLE IF EXISTS `dq-cloud-sales.users.valid`;

CREATE TEMPORARY TABLE `dq-cloud-sales.users.valid` (
  `id` STRING
) WITH (
  'connector' = 'blackhole'
);
