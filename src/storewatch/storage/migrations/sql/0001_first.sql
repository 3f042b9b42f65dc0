-- storewatch, schema 0001. Times are UTC inside; views at the end show them in the store's own time.

-- Imports: who loaded what, and what became of it.
CREATE TABLE import (
    import_no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('store_status', 'menu_hours', 'store_timezone')),
    source       text NOT NULL,
    file_name    text NOT NULL,
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes   bigint NOT NULL CHECK (size_bytes >= 0),
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL,
    rows_read      bigint NOT NULL CHECK (rows_read >= 0),
    rows_new       bigint NOT NULL CHECK (rows_new >= 0),
    rows_corrected bigint NOT NULL CHECK (rows_corrected >= 0),
    rows_unchanged bigint NOT NULL CHECK (rows_unchanged >= 0),
    rows_kept      bigint NOT NULL CHECK (rows_kept >= 0),
    rows_rejected  bigint NOT NULL CHECK (rows_rejected >= 0),
    assumptions  jsonb NOT NULL DEFAULT '{}',
    CHECK (rows_read = rows_new + rows_corrected + rows_unchanged + rows_kept + rows_rejected)
);

CREATE TABLE import_reject (
    import_no  integer NOT NULL REFERENCES import ON DELETE CASCADE,
    line       bigint NOT NULL,
    reason     text NOT NULL,
    row        text NOT NULL,
    PRIMARY KEY (import_no, line)
);

-- Stores: a short key inside, the id as text outside. COLLATE "C" orders by code point.
CREATE TABLE store (
    store_key      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_id       text COLLATE "C" NOT NULL UNIQUE CHECK (length(store_id) BETWEEN 1 AND 200),
    name           text,
    first_poll_at  timestamptz
) WITH (fillfactor = 50);  -- room to note the first poll beside the row, which then needs no new index entry

CREATE TABLE store_timezone (
    store_key     integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    timezone_str  text NOT NULL,
    import_no     integer REFERENCES import ON DELETE SET NULL
);

-- A week of opening hours belongs to a store from a local day on; a week without rows is closed
-- throughout; a store without a week is open 24 x 7.
CREATE TABLE hours_week (
    week_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_key   integer NOT NULL REFERENCES store ON DELETE CASCADE,
    valid_from  date NOT NULL DEFAULT '-infinity',
    import_no   integer REFERENCES import ON DELETE SET NULL,
    UNIQUE (store_key, valid_from)
);

-- Seconds of the local day; an end before its start is on the next day.
CREATE TABLE menu_hours (
    week_no  integer NOT NULL REFERENCES hours_week ON DELETE CASCADE,
    day      smallint NOT NULL CHECK (day BETWEEN 0 AND 6),
    start_s  integer NOT NULL CHECK (start_s BETWEEN 0 AND 86399),
    end_s    integer NOT NULL CHECK (end_s BETWEEN 0 AND 86400),
    PRIMARY KEY (week_no, day, start_s, end_s),
    CHECK (start_s <> end_s)
);

-- Polls. No foreign key: a check per row would triple a load. The importing transaction allots the
-- keys, deletion is one service, `storewatch db verify` proves that nothing is orphaned.
-- import_no is null where a person corrected the poll by hand: no import overwrites it.
CREATE TABLE store_status (
    store_key      integer NOT NULL,
    import_no      integer,
    timestamp_utc  timestamptz NOT NULL,
    active         boolean NOT NULL,
    reason         varchar(200),
    PRIMARY KEY (store_key, timestamp_utc)
) PARTITION BY RANGE (timestamp_utc);

-- Polls that a person deleted by hand: no import brings them back.
CREATE TABLE deleted_poll (
    store_key      integer NOT NULL,
    timestamp_utc  timestamptz NOT NULL,
    PRIMARY KEY (store_key, timestamp_utc)
);

-- One row per UTC day that has a partition: spares scanning for the newest poll.
CREATE TABLE store_status_day (
    day     date PRIMARY KEY,
    polls   bigint NOT NULL CHECK (polls >= 0),
    newest  timestamptz NOT NULL
);

-- Reports.
CREATE TABLE report (
    report_no       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id       uuid NOT NULL UNIQUE,
    status          text NOT NULL CHECK (status IN ('queued', 'running', 'complete', 'failed')),
    progress        smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    attempt         integer NOT NULL DEFAULT 0,
    pinned          boolean NOT NULL DEFAULT false,
    as_of_asked     timestamptz,
    policy          text NOT NULL CHECK (policy IN ('nearest', 'previous')),
    max_gap_us      bigint NOT NULL CHECK (max_gap_us BETWEEN 60000000 AND 2592000000000),
    seen_within_us  bigint NOT NULL CHECK (seen_within_us > 0),
    default_zone    text NOT NULL,
    window_names    text[] NOT NULL,
    window_us       bigint[] NOT NULL,
    as_of           timestamptz,
    last_import     integer,
    storewatch_version  text NOT NULL,
    zone_data_version   text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    timings         jsonb,
    summary         jsonb,
    error           text,
    CHECK (cardinality(window_names) = cardinality(window_us)),
    CHECK ((status IN ('complete', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK (status <> 'complete' OR (as_of IS NOT NULL AND summary IS NOT NULL))
);
CREATE INDEX report_created_at ON report (created_at DESC);

-- Exact microseconds; element i of each array belongs to window i of the report. No foreign keys,
-- for the same reason as store_status. The attempt that completed the report wrote all its rows; it is
-- in the key so that a paused attempt, with rows not committed, doesn't make the next one wait for it.
CREATE TABLE store_report (
    report_no         integer NOT NULL,
    attempt           integer NOT NULL,
    store_key         integer NOT NULL,
    up_seen_us        bigint[] NOT NULL,
    up_inferred_us    bigint[] NOT NULL,
    down_seen_us      bigint[] NOT NULL,
    down_inferred_us  bigint[] NOT NULL,
    unknown_us        bigint[] NOT NULL,
    PRIMARY KEY (report_no, attempt, store_key)
);

-- Four zones bear names that PostgreSQL takes for abbreviations of one fixed offset, and three more do under
-- another `timezone_abbreviations`: the same clocks by their other names.
CREATE FUNCTION clock_zone(zone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE zone
        WHEN 'CET' THEN 'Europe/Brussels' WHEN 'MET' THEN 'Europe/Brussels'
        WHEN 'EET' THEN 'Europe/Athens' WHEN 'WET' THEN 'Europe/Lisbon'
        WHEN 'EST' THEN 'America/Panama' WHEN 'MST' THEN 'America/Phoenix'
        WHEN 'HST' THEN 'Pacific/Honolulu' ELSE zone
    END
$$;

-- Wall clock -> instant, as RFC 5545 and Python's fold=0 have it: a time that the clocks skip is read
-- with the offset before the gap, one that occurs twice is its first occurrence. (AT TIME ZONE takes
-- the second.) `earlier` uses the offset a day before, `later` that of a day after.
CREATE FUNCTION local_to_utc(wall timestamp, zone text) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN earlier AT TIME ZONE clock_zone(zone) = wall THEN earlier
        WHEN later AT TIME ZONE clock_zone(zone) = wall THEN later
        ELSE earlier
    END
    FROM (SELECT wall AT TIME ZONE 'UTC' AS guess) AS g,
    LATERAL (SELECT
        guess - ((guess - interval '24 hours') AT TIME ZONE clock_zone(zone) - (wall - interval '24 hours')) AS earlier,
        guess - ((guess + interval '24 hours') AT TIME ZONE clock_zone(zone) - (wall + interval '24 hours')) AS later
    ) AS candidates
$$;

-- The zone of stores that have none: `SET storewatch.default_zone = '...'` to see another than the usual.
CREATE FUNCTION default_zone() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('storewatch.default_zone', true), ''), 'America/Chicago') $$;

CREATE VIEW store_status_local AS
SELECT s.store_id,
       CASE WHEN p.active THEN 'active' ELSE 'inactive' END AS status,
       p.timestamp_utc AT TIME ZONE clock_zone(coalesce(z.timezone_str, default_zone())) AS timestamp_local,
       coalesce(z.timezone_str, default_zone()) AS timezone_str,
       z.timezone_str IS NOT NULL AS zone_given,
       p.timestamp_utc,
       p.reason,
       p.import_no
FROM store_status AS p
JOIN store AS s USING (store_key)
LEFT JOIN store_timezone AS z USING (store_key);

CREATE VIEW menu_hours_local AS
SELECT s.store_id,
       m.day,
       (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[m.day + 1]
           AS weekday,
       make_interval(secs => m.start_s)::time AS start_time_local,
       CASE WHEN m.end_s = 86400 THEN time '24:00' ELSE make_interval(secs => m.end_s)::time END
           AS end_time_local,
       m.end_s < m.start_s AS ends_next_day,
       coalesce(z.timezone_str, default_zone()) AS timezone_str,
       w.valid_from
FROM menu_hours AS m
JOIN hours_week AS w USING (week_no)
JOIN store AS s USING (store_key)
LEFT JOIN store_timezone AS z USING (store_key);

-- Opening hours as they fell on each local day from one to another, both included; `opens` and `closes`
-- are instants, psql and pgAdmin show them in the session's zone, the _local columns in the store's.
CREATE FUNCTION opening_hours(first_day date, last_day date)
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
        JOIN hours_week AS w USING (week_no)
        JOIN store AS s USING (store_key)
        LEFT JOIN store_timezone AS z USING (store_key)
        CROSS JOIN LATERAL (SELECT coalesce(z.timezone_str, default_zone()) AS name) AS zone
    ) AS occurrence
    WHERE closes > opens
$$;

-- The classic seven columns: minutes for the hour, hours for the day and the week, two decimals, half
-- away from zero. Empty where the store was open and nothing is known.
CREATE VIEW store_report_classic AS
SELECT r.report_id, s.store_id,
       round(hour.up / 60000000.0, 2) AS uptime_last_hour,
       round(day.up / 3600000000.0, 2) AS uptime_last_day,
       round(week.up / 3600000000.0, 2) AS uptime_last_week,
       round(hour.down / 60000000.0, 2) AS downtime_last_hour,
       round(day.down / 3600000000.0, 2) AS downtime_last_day,
       round(week.down / 3600000000.0, 2) AS downtime_last_week
FROM report AS r
JOIN store_report AS t USING (report_no)
JOIN store AS s USING (store_key)
CROSS JOIN LATERAL (
    SELECT array_position(r.window_names, 'last_hour') AS hour,
           array_position(r.window_names, 'last_day') AS day,
           array_position(r.window_names, 'last_week') AS week
) AS i
CROSS JOIN LATERAL (SELECT t.up_seen_us[i.hour] + t.up_inferred_us[i.hour] AS up,
                           t.down_seen_us[i.hour] + t.down_inferred_us[i.hour] AS down,
                           t.unknown_us[i.hour] AS unknown) AS h
CROSS JOIN LATERAL (SELECT t.up_seen_us[i.day] + t.up_inferred_us[i.day] AS up,
                           t.down_seen_us[i.day] + t.down_inferred_us[i.day] AS down,
                           t.unknown_us[i.day] AS unknown) AS d
CROSS JOIN LATERAL (SELECT t.up_seen_us[i.week] + t.up_inferred_us[i.week] AS up,
                           t.down_seen_us[i.week] + t.down_inferred_us[i.week] AS down,
                           t.unknown_us[i.week] AS unknown) AS w
CROSS JOIN LATERAL (SELECT CASE WHEN h.up + h.down > 0 OR h.unknown = 0 THEN h.up END AS up,
                           CASE WHEN h.up + h.down > 0 OR h.unknown = 0 THEN h.down END AS down) AS hour
CROSS JOIN LATERAL (SELECT CASE WHEN d.up + d.down > 0 OR d.unknown = 0 THEN d.up END AS up,
                           CASE WHEN d.up + d.down > 0 OR d.unknown = 0 THEN d.down END AS down) AS day
CROSS JOIN LATERAL (SELECT CASE WHEN w.up + w.down > 0 OR w.unknown = 0 THEN w.up END AS up,
                           CASE WHEN w.up + w.down > 0 OR w.unknown = 0 THEN w.down END AS down) AS week;
