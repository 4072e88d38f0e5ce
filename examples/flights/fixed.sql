-- delays.sql, corrected: a cancelled flight is no flight.
SET application.id = 'flight-delays';

CREATE TABLE flights (
  carrier   text,
  origin    text,
  dest      text,
  at        timestamptz,  -- departure
  dep_delay bigint,       -- minutes
  arr_delay bigint,
  cancelled boolean
) WITH (topic = 'flights', format = 'json', event_time = 'at', max_out_of_orderness = '12 hours', partitioned_by = 'carrier');

CREATE MATERIALIZED VIEW delays WITH (topic = 'delays') AS
  SELECT carrier, window_start, window_end,
         count(*) AS flights, count(arr_delay) AS arrivals, avg(arr_delay) AS mean_delay, max(arr_delay) AS worst_delay
  FROM TUMBLE(flights, at, INTERVAL '1 hour')
  WHERE NOT cancelled
  GROUP BY carrier, window_start, window_end;
