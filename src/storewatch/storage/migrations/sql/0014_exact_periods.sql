-- storewatch, schema 0014: the week and the month of a day that runs on are found at once. Until now each hour looked
-- at all weeks and months that a store has, which became more from week to week.

DROP INDEX store_period_by_store;
CREATE INDEX store_period_by_store ON store_period (store_key, period, first_day);

-- The last day of a store, which runs on at T, may only have grown: it begins as it did, up or down, and nothing
-- comes after it. What it grew by is added to its week and its month; other days are added up anew. Planned each
-- time: a plan that was made for few rows and kept compares each of many with each.
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
            ends_down = CASE WHEN was_open(n) THEN n.ends_down ELSE p.ends_down END
        FROM changed AS n JOIN before AS o USING (store_key, day)
        WHERE p.store_key = n.store_key AND p.period = $1
          AND p.first_day = date_trunc($1, n.day::timestamp)::date
          AND NOT n.complete AND NOT o.complete AND n.starts_down = o.starts_down AND was_open(n) = was_open(o)
        $query$ USING kind;
    END LOOP;
    EXECUTE $query$
    SELECT add_up_periods(array_agg(n.store_key), array_agg(n.day))
    FROM changed AS n JOIN before AS o USING (store_key, day)
    WHERE n.complete OR o.complete OR n.starts_down <> o.starts_down OR was_open(n) <> was_open(o)
    $query$;
    RETURN NULL;
END $$;
