-- storewatch, schema 0015: how a closed store stood when it was last open is kept, so that it goes on from there when it
-- opens. Until now the seven days before were looked at again, of each store that opens.

-- last_state is that of the last open time up to as_of, null if there was none within seven local days; last_since
-- is null if it was so for longer than those.
ALTER TABLE store_now
    ADD last_state text CHECK (last_state IN ('up', 'down', 'unseen', 'excluded')),
    ADD last_since timestamptz;

INSERT INTO history_due (first_key, last_key, first_at, last_at)
SELECT 0, 2147483647, '9999-01-01Z', '9999-01-01Z' WHERE EXISTS (SELECT FROM store_now);

-- A day that runs on may also open: it begins as it did, up, or else it begins down and is added up anew. If it is the
-- first of its week or month that was open, this begins as the day does.
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
          AND p.first_day = date_trunc($1, n.day::timestamp)::date
          AND NOT n.complete AND NOT o.complete AND n.starts_down = o.starts_down AND (was_open(n) OR NOT was_open(o))
        $query$ USING kind;
    END LOOP;
    EXECUTE $query$
    SELECT add_up_periods(array_agg(n.store_key), array_agg(n.day))
    FROM changed AS n JOIN before AS o USING (store_key, day)
    WHERE n.complete OR o.complete OR n.starts_down <> o.starts_down OR was_open(o) AND NOT was_open(n)
    $query$;
    RETURN NULL;
END $$;
