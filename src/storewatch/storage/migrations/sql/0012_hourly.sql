-- storewatch, schema 0012: a day that runs on costs little. Until now each hour added up anew all days of the week
-- and the month of every store.

CREATE FUNCTION was_open(d store_day) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT d.up_seen_us + d.up_inferred_us + d.down_seen_us + d.down_inferred_us + d.unknown_us + d.excluded_us > 0
$$;

-- The last day of a store, which runs on at T, may only have grown: it begins as it did, up or down, and nothing
-- comes after it. What it grew by is added to its week and its month; other days are added up anew.
CREATE FUNCTION periods_of_changed_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE store_period AS p
    SET outages = p.outages + g.outages,
        up_seen_us = p.up_seen_us + g.up_seen_us, up_inferred_us = p.up_inferred_us + g.up_inferred_us,
        down_seen_us = p.down_seen_us + g.down_seen_us, down_inferred_us = p.down_inferred_us + g.down_inferred_us,
        unknown_us = p.unknown_us + g.unknown_us, excluded_us = p.excluded_us + g.excluded_us,
        down_min_us = p.down_min_us + g.down_min_us, down_max_us = p.down_max_us + g.down_max_us,
        ends_down = CASE WHEN g.was_open THEN g.ends_down ELSE p.ends_down END
    FROM (SELECT kind.period, date_trunc(kind.period, n.day::timestamp)::date AS first_day, n.store_key,
                 n.outages - o.outages AS outages,
                 n.up_seen_us - o.up_seen_us AS up_seen_us, n.up_inferred_us - o.up_inferred_us AS up_inferred_us,
                 n.down_seen_us - o.down_seen_us AS down_seen_us,
                 n.down_inferred_us - o.down_inferred_us AS down_inferred_us,
                 n.unknown_us - o.unknown_us AS unknown_us, n.excluded_us - o.excluded_us AS excluded_us,
                 n.down_min_us - o.down_min_us AS down_min_us, n.down_max_us - o.down_max_us AS down_max_us,
                 was_open(n) AS was_open, n.ends_down
          FROM changed AS n JOIN before AS o USING (store_key, day), (VALUES ('week'), ('month')) AS kind(period)
          WHERE NOT n.complete AND NOT o.complete AND n.starts_down = o.starts_down AND was_open(n) = was_open(o)
         ) AS g
    WHERE p.period = g.period AND p.first_day = g.first_day AND p.store_key = g.store_key;
    PERFORM add_up_periods(array_agg(n.store_key), array_agg(n.day))
    FROM changed AS n JOIN before AS o USING (store_key, day)
    WHERE n.complete OR o.complete OR n.starts_down <> o.starts_down OR was_open(n) <> was_open(o);
    RETURN NULL;
END $$;
DROP TRIGGER periods_update ON store_day;
CREATE TRIGGER periods_update AFTER UPDATE ON store_day
    REFERENCING NEW TABLE AS changed OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION periods_of_changed_days();
