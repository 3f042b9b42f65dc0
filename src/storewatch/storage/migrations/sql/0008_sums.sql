-- storewatch, schema 0008: the figures of how a store stands, each in a column of its own: what all stores come
-- to is added up for each page of the fleet, and elements of arrays take more than twice as long to add.

CREATE TEMP TABLE stood ON COMMIT DROP AS SELECT * FROM store_now;
DROP TABLE store_now;

-- A store at T. `state` holds at as_of, since `since`; null: it is closed, or in that state for longer than the
-- seven local days that were looked at. 1d is today so far, 7d and 30d that many local days up to as_of, today
-- included. Element i of lost_num / lost_den are cents, exact, of the whole downtime of the i-th of these, and
-- lost_seen_num of the part of it that polls saw; null: nobody knows what the store takes.
CREATE TABLE store_now (
    store_key integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    as_of timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('up', 'down', 'closed', 'unseen', 'excluded')),
    since timestamptz,
    up_seen_1d_us bigint NOT NULL, up_inferred_1d_us bigint NOT NULL, down_seen_1d_us bigint NOT NULL,
    down_inferred_1d_us bigint NOT NULL, unknown_1d_us bigint NOT NULL, excluded_1d_us bigint NOT NULL,
    down_min_1d_us bigint NOT NULL, down_max_1d_us bigint NOT NULL, outages_1d bigint NOT NULL,
    up_seen_7d_us bigint NOT NULL, up_inferred_7d_us bigint NOT NULL, down_seen_7d_us bigint NOT NULL,
    down_inferred_7d_us bigint NOT NULL, unknown_7d_us bigint NOT NULL, excluded_7d_us bigint NOT NULL,
    down_min_7d_us bigint NOT NULL, down_max_7d_us bigint NOT NULL, outages_7d bigint NOT NULL,
    up_seen_30d_us bigint NOT NULL, up_inferred_30d_us bigint NOT NULL, down_seen_30d_us bigint NOT NULL,
    down_inferred_30d_us bigint NOT NULL, unknown_30d_us bigint NOT NULL, excluded_30d_us bigint NOT NULL,
    down_min_30d_us bigint NOT NULL, down_max_30d_us bigint NOT NULL, outages_30d bigint NOT NULL,
    lost_num numeric[] CHECK (cardinality(lost_num) = 3),
    lost_seen_num numeric[] CHECK (cardinality(lost_seen_num) = 3),
    lost_den numeric CHECK (lost_den > 0),
    CHECK ((lost_num IS NULL) = (lost_den IS NULL) AND (lost_num IS NULL) = (lost_seen_num IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

INSERT INTO store_now
SELECT store_key, as_of, state, since,
    up_seen_us[1], up_inferred_us[1], down_seen_us[1], down_inferred_us[1], unknown_us[1], excluded_us[1], down_min_us[1], down_max_us[1], outages[1],
    up_seen_us[2], up_inferred_us[2], down_seen_us[2], down_inferred_us[2], unknown_us[2], excluded_us[2], down_min_us[2], down_max_us[2], outages[2],
    up_seen_us[3], up_inferred_us[3], down_seen_us[3], down_inferred_us[3], unknown_us[3], excluded_us[3], down_min_us[3], down_max_us[3], outages[3],
    lost_num, lost_seen_num, lost_den
FROM stood ORDER BY store_key;

COMMENT ON TABLE store_now IS 'How each store stands at the newest poll, and its today, 7 and 30 local days';
