-- The bids of every 123rd auction, prices in another currency. {input} and {output} are put in by ./run.
CREATE TABLE bids (auction bigint, bidder bigint, price bigint, "dateTime" timestamptz)
  WITH (topic = '{input}', format = 'json', event_time = 'dateTime', max_out_of_orderness = '5s', partitioned_by = 'bidder');

CREATE MATERIALIZED VIEW converted WITH (topic = '{output}') AS
  SELECT auction, bidder, price * 0.908 AS price, "dateTime" FROM bids WHERE auction % 123 = 0;
