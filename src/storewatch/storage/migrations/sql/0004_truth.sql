-- storewatch, schema 0004: hours that change, exceptions, outages with bounds, service levels, retention.

-- Opening hours that change: a week of hours belongs to a store from valid_from on, until the next one of the
-- store. The first week of a store begins at -infinity. An opening belongs to the local day it begins on.
CREATE OR REPLACE VIEW menu_hours_local AS
SELECT s.store_id,
       m.day,
       (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[m.day + 1]
           AS weekday,
       make_interval(secs => m.start_s)::time AS start_time_local,
       CASE WHEN m.end_s = 86400 THEN time '24:00' ELSE make_interval(secs => m.end_s)::time END
           AS end_time_local,
       m.end_s < m.start_s AS ends_next_day,
       coalesce(z.timezone_str, default_zone()) AS timezone_str,
       w.valid_from,
       w.valid_until
FROM menu_hours AS m
JOIN (SELECT *, lead(valid_from, 1, 'infinity') OVER (PARTITION BY store_key ORDER BY valid_from) AS valid_until
      FROM hours_week) AS w USING (week_no)
JOIN store AS s USING (store_key)
LEFT JOIN store_timezone AS z USING (store_key);

CREATE OR REPLACE FUNCTION opening_hours(first_day date, last_day date)
RETURNS TABLE (store_id text, local_day date, opens timestamptz, closes timestamptz,
               opens_local timestamp, closes_local timestamp, timezone_str text)
LANGUAGE sql STABLE AS $$
    SELECT store_id, local_day, opens, closes,
           opens AT TIME ZONE clock_zone(timezone_str), closes AT TIME ZONE clock_zone(timezone_str), timezone_str
    FROM (
        SELECT s.store_id, d.day::date AS local_day, zone.name AS timezone_str,
               local_to_utc(d.day + make_interval(secs => m.start_s), zone.name) AS opens,
               local_to_utc(d.day + make_interval(
                   secs => m.end_s + CASE WHEN m.end_s < m.start_s THEN 86400 ELSE 0 END), zone.name) AS closes
        FROM generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') AS d(day)
        JOIN menu_hours AS m ON m.day = extract(isodow FROM d.day)::int - 1
        JOIN (SELECT *, lead(valid_from, 1, 'infinity') OVER (PARTITION BY store_key ORDER BY valid_from) AS until
              FROM hours_week) AS w ON w.week_no = m.week_no AND d.day >= w.valid_from AND d.day < w.until
        JOIN store AS s USING (store_key)
        LEFT JOIN store_timezone AS z USING (store_key)
        CROSS JOIN LATERAL (SELECT coalesce(z.timezone_str, default_zone()) AS name) AS zone
    ) AS occurrence
    WHERE closes > opens
$$;

-- From which local day on the hours in an uploaded file hold: a date or `always`; null: as usual.
ALTER TABLE upload ADD COLUMN valid_from text;

-- Exceptions: holidays, maintenance, corrections. Of a store, a group, or (neither) of all stores. Its time is
-- from one instant to another, or from one time to another on the clock of each store; with a rule (RFC 5545
-- RRULE) it comes again from the first time on. Nothing is ever changed or deleted but by its store or group:
-- who takes an exception back ends it, and it stays for the record.
CREATE TABLE exception (
    exception_no  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exception_id  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    effect        text NOT NULL CHECK (effect IN ('closed', 'other_hours', 'excluded', 'up', 'down', 'ignore_polls')),
    store_key     integer REFERENCES store ON DELETE CASCADE,
    group_no      integer REFERENCES store_group ON DELETE CASCADE,
    start_at      timestamptz,
    end_at        timestamptz,
    start_local   timestamp,
    end_local     timestamp,
    rrule         text CHECK (length(rrule) BETWEEN 1 AND 500),
    openings      integer[],  -- start, end, start, end ... in seconds of the local day, as in menu_hours
    note          text NOT NULL CHECK (length(note) BETWEEN 1 AND 1000),
    account_no    integer REFERENCES account ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    undone_at     timestamptz,
    undone_by     integer REFERENCES account ON DELETE SET NULL,
    CHECK (store_key IS NULL OR group_no IS NULL),
    CHECK ((start_at IS NULL) = (end_at IS NULL) AND (start_local IS NULL) = (end_local IS NULL)),
    CHECK ((start_at IS NULL) <> (start_local IS NULL)),
    CHECK (start_at < end_at),
    CHECK (start_local < end_local),
    CHECK (rrule IS NULL OR start_local IS NOT NULL),
    CHECK ((effect = 'other_hours') = (openings IS NOT NULL)),
    CHECK (cardinality(openings) % 2 = 0)
);
CREATE INDEX exception_by_store ON exception (store_key) WHERE undone_at IS NULL;
CREATE INDEX exception_by_group ON exception (group_no) WHERE undone_at IS NULL;

-- What exceptions took out of the open time, and the bounds of the downtime: down_min_us lies between polls
-- that were both down, down_max_us has a poll that was down on one side at least. A list by hour is null
-- where all of it is zero.
ALTER TABLE store_day
    ADD COLUMN excluded_us bigint NOT NULL DEFAULT 0 CHECK (excluded_us >= 0),
    ADD COLUMN down_min_us bigint NOT NULL DEFAULT 0 CHECK (down_min_us >= 0),
    ADD COLUMN down_max_us bigint NOT NULL DEFAULT 0 CHECK (down_max_us >= 0),
    ADD COLUMN excluded_by_hour_us bigint[],
    ADD COLUMN down_seen_by_hour_us bigint[],
    ALTER COLUMN up_by_hour_us DROP NOT NULL,
    ALTER COLUMN down_by_hour_us DROP NOT NULL,
    ALTER COLUMN unknown_by_hour_us DROP NOT NULL,
    ALTER COLUMN seen_by_hour_us DROP NOT NULL;

-- raw_us: what the figures would be without exceptions, window by window the five totals up_seen, up_inferred,
-- down_seen, down_inferred, unknown; null: the same. The others are null in reports of older versions.
ALTER TABLE store_report
    ADD COLUMN excluded_us bigint[],
    ADD COLUMN down_min_us bigint[],
    ADD COLUMN down_max_us bigint[],
    ADD COLUMN raw_us bigint[];

-- What people know of an outage: of the one that an instant of a store lies in.
CREATE TABLE outage_note (
    note_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    note_id     uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    store_key   integer NOT NULL REFERENCES store ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    note        text NOT NULL CHECK (length(note) BETWEEN 1 AND 1000),
    account_no  integer REFERENCES account ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outage_note_by_store ON outage_note (store_key, at);

-- Service levels: a target for a store, a group or (neither) all stores, over local weeks, months or quarters.
-- Per cent of the open time, or so many outages (of a length) at most.
CREATE TABLE service_level (
    level_no      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    level_id      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    store_key     integer REFERENCES store ON DELETE CASCADE,
    group_no      integer REFERENCES store_group ON DELETE CASCADE,
    period        text NOT NULL CHECK (period IN ('week', 'month', 'quarter')),
    measure       text NOT NULL CHECK (measure IN ('availability', 'outages')),
    target        numeric(9, 4) NOT NULL CHECK (target >= 0),  -- per cent, or a number of outages
    unknown_as    text NOT NULL DEFAULT 'ignored' CHECK (unknown_as IN ('ignored', 'up', 'down')),
    min_outage_s  integer NOT NULL DEFAULT 0 CHECK (min_outage_s >= 0),
    account_no    integer REFERENCES account ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (store_key IS NULL OR group_no IS NULL),
    CHECK (measure = 'outages' OR target <= 100)
);
CREATE INDEX service_level_by_store ON service_level (store_key);
CREATE INDEX service_level_by_group ON service_level (group_no);

-- What a store takes in an hour of the week, on its own clock; without rows store.revenue_per_week is spread
-- over the open hours.
CREATE TABLE revenue_hour (
    store_key  integer NOT NULL REFERENCES store ON DELETE CASCADE,
    day        smallint NOT NULL CHECK (day BETWEEN 0 AND 6),
    hour       smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    amount     numeric(12, 2) NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (store_key, day, hour)
);

-- Polls before this UTC day are gone, so the days they decided are frozen: nobody computes them anew.
CREATE TABLE retention (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    polls_from  date NOT NULL DEFAULT '-infinity'
);
INSERT INTO retention DEFAULT VALUES;

COMMENT ON COLUMN menu_hours_local.valid_from IS 'the first local day of the week; -infinity: ever since';
COMMENT ON COLUMN menu_hours_local.valid_until IS 'the first local day of the store''s next week; infinity: there is none';
COMMENT ON TABLE hours_week IS 'Weeks of opening hours, each from a local day on; a store without one is open day and night';
COMMENT ON TABLE exception IS 'Holidays, maintenance, corrections; those with undone_at were taken back';
COMMENT ON TABLE outage_note IS 'What people know of the outage that an instant of a store lies in';
COMMENT ON TABLE service_level IS 'Targets: per cent of the open time, or a number of outages';
COMMENT ON TABLE revenue_hour IS 'What a store takes by hour of the week, on its own clock';
COMMENT ON TABLE retention IS 'Polls before polls_from are gone, and the days they decided are frozen; one row';

-- History for people at psql: in hours, with availability and coverage. Of local days that are not due alone:
-- those are right. What is due is told in UTC, a local day by its date, so the days beside are left out too.
CREATE VIEW store_availability_by_day AS
SELECT s.store_id,
       d.day AS local_day,
       round((up_seen_us + up_inferred_us) / 3600000000.0, 2) AS uptime_hours,
       round((down_seen_us + down_inferred_us) / 3600000000.0, 2) AS downtime_hours,
       round(unknown_us / 3600000000.0, 2) AS unknown_hours,
       round(excluded_us / 3600000000.0, 2) AS excluded_hours,
       round((up_seen_us + up_inferred_us + down_seen_us + down_inferred_us + unknown_us + excluded_us)
             / 3600000000.0, 2) AS open_hours,
       (up_seen_us + up_inferred_us)::float8
           / nullif(up_seen_us + up_inferred_us + down_seen_us + down_inferred_us, 0) AS availability,
       (up_seen_us + down_seen_us)::float8
           / nullif(up_seen_us + up_inferred_us + down_seen_us + down_inferred_us + unknown_us + excluded_us, 0)
           AS coverage,
       d.outages,
       d.complete
FROM store_day AS d
JOIN store AS s USING (store_key)
CROSS JOIN history_present AS p
WHERE (s.archived_from IS NULL OR d.day < s.archived_from)
  AND NOT EXISTS (
      SELECT FROM history_due AS u
      WHERE d.store_key BETWEEN u.first_key AND u.last_key
        AND d.day BETWEEN (u.first_at - interval '39 hours')::date AND (u.last_at + interval '15 hours')::date)
  AND NOT d.day BETWEEN
      (least(p.as_of, (SELECT max(newest) FROM store_status_day)) - interval '39 hours')::date
      AND CASE WHEN p.as_of IS DISTINCT FROM (SELECT max(newest) FROM store_status_day)
               THEN date 'infinity' ELSE date '-infinity' END;

-- A month of a store is told if none of its days is due. An outage over midnight is one.
CREATE VIEW store_availability_by_month AS
SELECT s.store_id,
       m.local_month,
       round(m.up_us / 3600000000.0, 2) AS uptime_hours,
       round(m.down_us / 3600000000.0, 2) AS downtime_hours,
       round(m.unknown_us / 3600000000.0, 2) AS unknown_hours,
       round(m.excluded_us / 3600000000.0, 2) AS excluded_hours,
       round((m.up_us + m.down_us + m.unknown_us + m.excluded_us) / 3600000000.0, 2) AS open_hours,
       m.up_us::float8 / nullif(m.up_us + m.down_us, 0)::float8 AS availability,
       m.seen_us::float8 / nullif(m.up_us + m.down_us + m.unknown_us + m.excluded_us, 0)::float8 AS coverage,
       m.outages,
       m.days,
       m.complete
FROM (
    SELECT store_key,
           date_trunc('month', day)::date AS local_month,
           sum(up_seen_us + up_inferred_us) AS up_us,
           sum(down_seen_us + down_inferred_us) AS down_us,
           sum(unknown_us) AS unknown_us,
           sum(excluded_us) AS excluded_us,
           sum(up_seen_us + down_seen_us) AS seen_us,
           sum(outages - (starts_down AND coalesce(ended_down, false))::int) AS outages,
           count(*) AS days,
           bool_and(complete) AS complete
    FROM (
        SELECT d.*, lag(ends_down) OVER (
                   PARTITION BY store_key, date_trunc('month', day),
                       up_seen_us + up_inferred_us + down_seen_us + down_inferred_us + unknown_us + excluded_us > 0
                   ORDER BY day) AS ended_down
        FROM store_day AS d JOIN store AS s USING (store_key)
        WHERE s.archived_from IS NULL OR d.day < s.archived_from
    ) AS d
    GROUP BY store_key, date_trunc('month', day)
) AS m
JOIN store AS s USING (store_key)
CROSS JOIN history_present AS p
WHERE NOT EXISTS (
      SELECT FROM history_due AS u
      WHERE m.store_key BETWEEN u.first_key AND u.last_key
        AND m.local_month <= (u.last_at + interval '15 hours')::date
        AND (m.local_month + interval '1 month')::date > (u.first_at - interval '39 hours')::date)
  AND (p.as_of IS NOT DISTINCT FROM (SELECT max(newest) FROM store_status_day)
       OR (m.local_month + interval '1 month')::date
          <= (least(p.as_of, (SELECT max(newest) FROM store_status_day)) - interval '39 hours')::date);

COMMENT ON VIEW store_availability_by_day IS 'History in hours, of local days that are not due';
COMMENT ON VIEW store_availability_by_month IS 'History in hours, of months none of whose days is due';
