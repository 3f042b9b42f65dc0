-- storewatch, schema 0007: weeks and months of stores, added up, and the open time that lies ahead of each.

-- The stored days of a store in a week (from Monday) or a month, added up, archived or not. An outage over
-- midnight is one. starts_down and ends_down say whether an outage runs at the first and the last open instant,
-- so that months add up to quarters; null: it was never open.
CREATE TABLE store_period (
    period            text NOT NULL CHECK (period IN ('week', 'month')),
    first_day         date NOT NULL,
    store_key         integer NOT NULL REFERENCES store ON DELETE CASCADE,
    days              integer NOT NULL CHECK (days > 0),
    outages           integer NOT NULL CHECK (outages >= 0),
    up_seen_us        bigint NOT NULL,
    up_inferred_us    bigint NOT NULL,
    down_seen_us      bigint NOT NULL,
    down_inferred_us  bigint NOT NULL,
    unknown_us        bigint NOT NULL,
    excluded_us       bigint NOT NULL,
    down_min_us       bigint NOT NULL,
    down_max_us       bigint NOT NULL,
    starts_down       boolean,
    ends_down         boolean,
    PRIMARY KEY (period, first_day, store_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX store_period_by_store ON store_period (store_key);

-- Adds up anew the periods that hold these days. Called by triggers alone, in the transaction that changes the
-- days, so a period is never behind its days. One job at a time writes days, so nobody waits here. at_first and
-- at_last are the number of an open day, doubled, and whether it was down then: the least and the greatest tell
-- of the first and the last one, without sorting, and the greatest one before of that over the midnight. Compared as pairs,
-- keys and days are found by the primary key.
CREATE FUNCTION add_up_periods(keys integer[], days date[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO store_period AS p (
        period, first_day, store_key, days, outages, up_seen_us, up_inferred_us, down_seen_us, down_inferred_us,
        unknown_us, excluded_us, down_min_us, down_max_us, starts_down, ends_down)
    SELECT t.period, t.first_day, t.store_key, found.*
    FROM (SELECT DISTINCT kind.period, date_trunc(kind.period, c.day::timestamp)::date AS first_day, c.store_key
          FROM unnest(keys, days) AS c(store_key, day), (VALUES ('week'), ('month')) AS kind(period)) AS t,
    LATERAL (
        SELECT count(*), sum(d.outages - (d.starts_down AND coalesce(d.before % 2 = 1, false))::int),
               sum(d.up_seen_us), sum(d.up_inferred_us), sum(d.down_seen_us), sum(d.down_inferred_us),
               sum(d.unknown_us), sum(d.excluded_us), sum(d.down_min_us), sum(d.down_max_us),
               min(d.at_first) % 2 = 1, max(d.at_last) % 2 = 1
        FROM (SELECT o.*, max(o.at_last) OVER (
                         ORDER BY o.store_key, o.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
              FROM (SELECT s.*, CASE WHEN was_open THEN number + starts_down::int END AS at_first,
                           CASE WHEN was_open THEN number + ends_down::int END AS at_last
                    FROM store_day AS s, LATERAL (
                        SELECT (s.day - date '0001-01-01') * 2 AS number,
                               s.up_seen_us + s.up_inferred_us + s.down_seen_us + s.down_inferred_us
                                   + s.unknown_us + s.excluded_us > 0 AS was_open) AS told
                    WHERE (s.store_key, s.day) >= (t.store_key, t.first_day)
                        AND (s.store_key, s.day) < (t.store_key, (t.first_day + ('1 ' || t.period)::interval)::date)
                   ) AS o) AS d
        HAVING count(*) > 0
    ) AS found
    ON CONFLICT (period, first_day, store_key) DO UPDATE
    SET (days, outages, up_seen_us, up_inferred_us, down_seen_us, down_inferred_us, unknown_us, excluded_us,
         down_min_us, down_max_us, starts_down, ends_down) =
        (excluded.days, excluded.outages, excluded.up_seen_us, excluded.up_inferred_us, excluded.down_seen_us,
         excluded.down_inferred_us, excluded.unknown_us, excluded.excluded_us, excluded.down_min_us,
         excluded.down_max_us, excluded.starts_down, excluded.ends_down)
$$;

CREATE FUNCTION periods_of_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM store_period AS p
        USING (SELECT DISTINCT store_key, date_trunc(kind.period, day::timestamp)::date AS first_day, kind.period
               FROM changed, (VALUES ('week'), ('month')) AS kind(period)) AS c
        WHERE p.period = c.period AND p.first_day = c.first_day AND p.store_key = c.store_key
          AND NOT EXISTS (
              SELECT FROM store_day AS d WHERE d.store_key = c.store_key AND d.day >= c.first_day
                AND d.day < (c.first_day + ('1 ' || c.period)::interval)::date);
    END IF;
    PERFORM add_up_periods(array_agg(store_key), array_agg(day)) FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER periods_insert AFTER INSERT ON store_day
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION periods_of_days();
CREATE TRIGGER periods_update AFTER UPDATE ON store_day
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION periods_of_days();
CREATE TRIGGER periods_delete AFTER DELETE ON store_day
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION periods_of_days();

-- What there is already.
SELECT add_up_periods(array_agg(store_key), array_agg(day))
FROM (SELECT store_key, date_trunc('week', day::timestamp)::date AS day FROM store_day
      UNION SELECT store_key, date_trunc('month', day::timestamp)::date FROM store_day) AS present;

-- Open time after T of a store that was ever polled: in the local week, month and quarter that it is in, and
-- then in the next ones, 0 unless they begin within two days, when they run elsewhere already. zone is the one
-- that it was computed for.
CREATE TABLE store_ahead (
    store_key        integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    zone             text NOT NULL,
    week_us          bigint NOT NULL,
    month_us         bigint NOT NULL,
    quarter_us       bigint NOT NULL,
    next_week_us     bigint NOT NULL,
    next_month_us    bigint NOT NULL,
    next_quarter_us  bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
INSERT INTO history_due (first_key, last_key, first_at, last_at)
SELECT 0, 2147483647, '9999-01-01Z', '9999-01-01Z' WHERE EXISTS (SELECT FROM store_now);

COMMENT ON TABLE store_period IS 'Weeks and months of stores: their stored days added up, by triggers';
COMMENT ON TABLE store_ahead IS 'Open time of stores after the newest poll, in the periods that run';
