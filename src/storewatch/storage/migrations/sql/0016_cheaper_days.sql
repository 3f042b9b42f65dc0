-- storewatch, schema 0016: the first history of a fleet costs less.

-- Each day and period that was written looked for its store, which cannot go away: who writes days holds a lock that
-- keeps all stores (`stay`), as for polls and rows of reports. What went with its store goes with it still.
ALTER TABLE store_day DROP CONSTRAINT store_day_store_key_fkey;
ALTER TABLE store_period DROP CONSTRAINT store_period_store_key_fkey;
CREATE FUNCTION days_of_deleted_stores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM store_day AS d USING gone WHERE d.store_key = gone.store_key;
    DELETE FROM store_period AS p USING gone WHERE p.store_key = gone.store_key;
    RETURN NULL;
END $$;
CREATE TRIGGER days_delete AFTER DELETE ON store
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION days_of_deleted_stores();

-- As before, but sorted by store first: names of periods are slow to compare.
CREATE OR REPLACE FUNCTION periods_of_new_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    appended integer[];
BEGIN
    EXECUTE $query$
    SELECT coalesce(array_agg(store_key), ARRAY[]::integer[])
    FROM (SELECT store_key, min(day) AS first, count(*) AS many FROM changed GROUP BY store_key) AS c
    WHERE c.many = (SELECT count(*) FROM store_day AS s WHERE s.store_key = c.store_key AND s.day >= c.first)
    $query$ INTO appended;
    EXECUTE $query$
    INSERT INTO store_period AS p (
        period, first_day, store_key, days, outages, up_seen_us, up_inferred_us, down_seen_us, down_inferred_us,
        unknown_us, excluded_us, down_min_us, down_max_us, starts_down, ends_down)
    SELECT d.period, d.first_day, d.store_key, count(*),
           sum(d.outages - (d.starts_down AND coalesce(d.before % 2 = 1, false))::int),
           sum(d.up_seen_us), sum(d.up_inferred_us), sum(d.down_seen_us), sum(d.down_inferred_us),
           sum(d.unknown_us), sum(d.excluded_us), sum(d.down_min_us), sum(d.down_max_us),
           min(d.at_first) % 2 = 1, max(d.at_last) % 2 = 1
    FROM (SELECT o.*, max(o.at_last) OVER (
                     PARTITION BY o.store_key, o.period, o.first_day
                     ORDER BY o.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM (SELECT kind.period, date_trunc(kind.period, n.day::timestamp)::date AS first_day, n.store_key, n.day,
                       n.outages, n.up_seen_us, n.up_inferred_us, n.down_seen_us, n.down_inferred_us, n.unknown_us,
                       n.excluded_us, n.down_min_us, n.down_max_us, n.starts_down,
                       CASE WHEN was_open(n) THEN number + n.starts_down::int END AS at_first,
                       CASE WHEN was_open(n) THEN number + n.ends_down::int END AS at_last
                FROM unnest($1) AS a(store_key) JOIN changed AS n USING (store_key),
                     LATERAL (SELECT (n.day - date '0001-01-01') * 2 AS number) AS told,
                     (VALUES ('week' COLLATE "C"), ('month')) AS kind(period)
               ) AS o) AS d
    GROUP BY d.store_key, d.period, d.first_day
    ON CONFLICT (period, first_day, store_key) DO UPDATE
    SET days = p.days + excluded.days,
        outages = p.outages + excluded.outages - coalesce(p.ends_down AND excluded.starts_down, false)::int,
        up_seen_us = p.up_seen_us + excluded.up_seen_us,
        up_inferred_us = p.up_inferred_us + excluded.up_inferred_us,
        down_seen_us = p.down_seen_us + excluded.down_seen_us,
        down_inferred_us = p.down_inferred_us + excluded.down_inferred_us,
        unknown_us = p.unknown_us + excluded.unknown_us,
        excluded_us = p.excluded_us + excluded.excluded_us,
        down_min_us = p.down_min_us + excluded.down_min_us,
        down_max_us = p.down_max_us + excluded.down_max_us,
        starts_down = coalesce(p.starts_down, excluded.starts_down),
        ends_down = coalesce(excluded.ends_down, p.ends_down)
    $query$ USING appended;
    EXECUTE $query$
    SELECT add_up_periods(array_agg(store_key), array_agg(day)) FROM changed WHERE store_key <> ALL($1)
    $query$ USING appended;
    RETURN NULL;
END $$;
