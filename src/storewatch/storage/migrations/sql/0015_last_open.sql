-- storewatch, schema 0015: the hours in which stores open and in which their days end cost little more than others.
-- Until now the seven days before were looked at again of each store that opens, and all days of the week and the month
-- were added up anew when a day ended.

-- How a closed store stood when it was last open is kept, so that it goes on from there when it opens.

-- last_state is that of the last open time up to as_of, null if there was none within seven local days; last_since
-- is null if it was so for longer than those.
ALTER TABLE store_now
    ADD last_state text CHECK (last_state IN ('up', 'down', 'unseen', 'excluded')),
    ADD last_since timestamptz;

INSERT INTO history_due (first_key, last_key, first_at, last_at)
SELECT 0, 2147483647, '9999-01-01Z', '9999-01-01Z' WHERE EXISTS (SELECT FROM store_now);

-- The last day of a store may only have grown, to its end too, or have opened: it begins as it did, up or down, and
-- nothing comes after it. What it grew by is added to its week and its month; other days are added up anew. Planned
-- each time: a plan that was made for few rows and kept compares each of many with each.
CREATE FUNCTION is_last(d store_day) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT d.day = (SELECT max(l.day) FROM store_day AS l WHERE l.store_key = d.store_key)
$$;
CREATE FUNCTION only_grew(n store_day, o store_day) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT o.complete AND n.starts_down = o.starts_down AND (was_open(n) OR NOT was_open(o))
        AND CASE WHEN n.complete THEN is_last(n) ELSE true END -- called for few: it costs a query
$$;
CREATE OR REPLACE FUNCTION periods_of_changed_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['week', 'month'] LOOP
        EXECUTE $query$
        UPDATE store_period AS p
        SET outages = p.outages + n.outages - o.outages,
            up_seen_us = p.up_seen_us + n.up_seen_us - o.up_seen_us,
            up_inferred_us = p.up_inferred_us + n.up_inferred_us - o.up_inferred_us,
            down_seen_us = p.down_seen_us + n.down_seen_us - o.down_seen_us,
            down_inferred_us = p.down_inferred_us + n.down_inferred_us - o.down_inferred_us,
            unknown_us = p.unknown_us + n.unknown_us - o.unknown_us,
            excluded_us = p.excluded_us + n.excluded_us - o.excluded_us,
            down_min_us = p.down_min_us + n.down_min_us - o.down_min_us,
            down_max_us = p.down_max_us + n.down_max_us - o.down_max_us,
            starts_down = CASE WHEN was_open(n) THEN coalesce(p.starts_down, n.starts_down) ELSE p.starts_down END,
            ends_down = CASE WHEN was_open(n) THEN n.ends_down ELSE p.ends_down END
        FROM changed AS n JOIN before AS o USING (store_key, day)
        WHERE p.store_key = n.store_key AND p.period = $1
          AND p.first_day = date_trunc($1, n.day::timestamp)::date AND only_grew(n, o)
        $query$ USING kind;
    END LOOP;
    EXECUTE $query$
    SELECT add_up_periods(array_agg(n.store_key), array_agg(n.day))
    FROM changed AS n JOIN before AS o USING (store_key, day) WHERE NOT only_grew(n, o)
    $query$;
    RETURN NULL;
END $$;

-- Days that come after all that a store has are added up by themselves, as add_up_periods does, and then to its week
-- and its month. Of any others these are added up anew.
CREATE FUNCTION periods_of_new_days() RETURNS trigger LANGUAGE plpgsql AS $$
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
                     PARTITION BY o.period, o.first_day, o.store_key
                     ORDER BY o.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM (SELECT kind.period, date_trunc(kind.period, n.day::timestamp)::date AS first_day, n.store_key, n.day,
                       n.outages, n.up_seen_us, n.up_inferred_us, n.down_seen_us, n.down_inferred_us, n.unknown_us,
                       n.excluded_us, n.down_min_us, n.down_max_us, n.starts_down,
                       CASE WHEN was_open(n) THEN number + n.starts_down::int END AS at_first,
                       CASE WHEN was_open(n) THEN number + n.ends_down::int END AS at_last
                FROM unnest($1) AS a(store_key) JOIN changed AS n USING (store_key),
                     LATERAL (SELECT (n.day - date '0001-01-01') * 2 AS number) AS told,
                     (VALUES ('week'), ('month')) AS kind(period)
               ) AS o) AS d
    GROUP BY d.period, d.first_day, d.store_key
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
DROP TRIGGER periods_insert ON store_day;
CREATE TRIGGER periods_insert AFTER INSERT ON store_day
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION periods_of_new_days();
