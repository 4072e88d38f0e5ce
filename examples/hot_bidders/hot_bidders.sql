SET application.id = 'hot-bidders';

-- NOT NULL: as the fields of the C++ struct, which are not std::optional.
CREATE TABLE bids (auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL, at timestamptz NOT NULL)
  WITH (topic = 'bids', format = 'json', event_time = 'at', max_out_of_orderness = '5s', partitioned_by = 'bidder');

CREATE MATERIALIZED VIEW bidder_totals WITH (topic = 'bidder-totals') AS
  SELECT bidder, window_start, window_end, count(*) AS bids, sum(price) AS total
  FROM TUMBLE(bids, at, INTERVAL '10 seconds')
  WHERE price >= 100
  GROUP BY bidder, window_start, window_end;
