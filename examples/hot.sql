-- The pipeline of README.md: what each bidder spends, in windows of ten seconds.
SET application.id = 'hot-bidders';

CREATE TABLE bids (auction bigint, bidder bigint, price bigint, at timestamptz)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s',
        partitioned_by = 'bidder');

CREATE MATERIALIZED VIEW bidder_totals WITH (topic = 'bidder-totals') AS
  SELECT bidder, window_start, window_end, count(*) AS bids, sum(price) AS total
  FROM TUMBLE(bids, at, INTERVAL '10 seconds')
  WHERE price >= 100
  GROUP BY bidder, window_start, window_end;
