-- Per bidder and 10 seconds: how many bids, their sum and the highest. {input} and {output} are put in by ./run.
CREATE TABLE bids (auction bigint, bidder bigint, price bigint, "dateTime" timestamptz)
  WITH (topic = '{input}', format = 'json', event_time = 'dateTime', max_out_of_orderness = '5s', partitioned_by = 'bidder');

CREATE MATERIALIZED VIEW bidder_totals WITH (topic = '{output}') AS
  SELECT bidder, window_start, window_end, count(*) AS bids, sum(price) AS total, max(price) AS highest
  FROM TUMBLE(bids, "dateTime", INTERVAL '10 seconds')
  GROUP BY bidder, window_start, window_end;
