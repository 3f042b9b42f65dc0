-- storewatch, schema 0005: the fleet at a glance: how each store stands, and the days of groups and of all.

-- A store at T. `state` holds at as_of, since `since`; null: it is closed, or in that state for longer than the
-- seven local days that were looked at. Element i of the arrays is for today so far, 7, and 30 local days up to
-- as_of. lost_num / lost_den are cents, exact, of the whole downtime and of the part of it that polls saw; null:
-- nobody knows what the store takes.
CREATE TABLE store_now (
    store_key         integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    as_of             timestamptz NOT NULL,
    state             text NOT NULL CHECK (state IN ('up', 'down', 'closed', 'unseen', 'excluded')),
    since             timestamptz,
    up_seen_us        bigint[] NOT NULL CHECK (cardinality(up_seen_us) = 3),
    up_inferred_us    bigint[] NOT NULL CHECK (cardinality(up_inferred_us) = 3),
    down_seen_us      bigint[] NOT NULL CHECK (cardinality(down_seen_us) = 3),
    down_inferred_us  bigint[] NOT NULL CHECK (cardinality(down_inferred_us) = 3),
    unknown_us        bigint[] NOT NULL CHECK (cardinality(unknown_us) = 3),
    excluded_us       bigint[] NOT NULL CHECK (cardinality(excluded_us) = 3),
    down_min_us       bigint[] NOT NULL CHECK (cardinality(down_min_us) = 3),
    down_max_us       bigint[] NOT NULL CHECK (cardinality(down_max_us) = 3),
    outages           bigint[] NOT NULL CHECK (cardinality(outages) = 3),
    lost_num          numeric[] CHECK (cardinality(lost_num) = 3),
    lost_seen_num     numeric[] CHECK (cardinality(lost_seen_num) = 3),
    lost_den          numeric CHECK (lost_den > 0),
    CHECK ((lost_num IS NULL) = (lost_den IS NULL) AND (lost_num IS NULL) = (lost_seen_num IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- A local day of the stores of a group, or of all (group_no 0), added up: days of archived stores up to then.
-- A store in two groups is in both, and once in group 0. Element i of the lists is for hour i - 1 of the wall
-- clock of each store; known is up and down.
CREATE TABLE fleet_day (
    group_no          integer NOT NULL,
    day               date NOT NULL,
    stores            integer NOT NULL CHECK (stores > 0),
    up_seen_us        bigint NOT NULL,
    up_inferred_us    bigint NOT NULL,
    down_seen_us      bigint NOT NULL,
    down_inferred_us  bigint NOT NULL,
    unknown_us        bigint NOT NULL,
    excluded_us       bigint NOT NULL,
    down_min_us       bigint NOT NULL,
    down_max_us       bigint NOT NULL,
    outages           bigint NOT NULL,
    down_by_hour_us   bigint[] NOT NULL CHECK (cardinality(down_by_hour_us) = 24),
    known_by_hour_us  bigint[] NOT NULL CHECK (cardinality(known_by_hour_us) = 24),
    PRIMARY KEY (group_no, day)
) WITH (fillfactor = 80);

-- Local days to be added up anew, of a group, or (null) of all groups and of group 0. Only the triggers below
-- add rows, in the transaction that changes what is added up, so no change can forget to; a job takes away
-- those that it sees, in the transaction that writes the days. Rows are never shared, so nobody waits.
CREATE TABLE fleet_due (
    due_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_no  integer,
    day       date NOT NULL
);

CREATE INDEX store_day_by_day ON store_day (day, store_key);

CREATE FUNCTION fleet_due_of_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_due (day) SELECT DISTINCT day FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_due_insert AFTER INSERT ON store_day
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_days();
CREATE TRIGGER fleet_due_update AFTER UPDATE ON store_day
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_days();
CREATE TRIGGER fleet_due_delete AFTER DELETE ON store_day
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_days();

-- Stores that join or leave groups, or take another zone: every day, for the clock shows other hours then.
CREATE FUNCTION fleet_due_of_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_due (group_no, day)
    SELECT g.group_no, d.day
    FROM (SELECT DISTINCT group_no FROM changed) AS g,
         generate_series((SELECT min(day) FROM store_day), (SELECT max(day) FROM store_day), interval '1 day') AS d(day);
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_due_insert AFTER INSERT ON group_store
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_groups();
CREATE TRIGGER fleet_due_delete AFTER DELETE ON group_store
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_groups();

CREATE FUNCTION fleet_due_of_zones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_due (day)
    SELECT d.day
    FROM (SELECT min(day) AS first, max(day) AS last
          FROM (SELECT DISTINCT store_key FROM changed LIMIT 1000) AS c, LATERAL (
              (SELECT day FROM store_day WHERE store_key = c.store_key ORDER BY day LIMIT 1)
              UNION ALL
              (SELECT day FROM store_day WHERE store_key = c.store_key ORDER BY day DESC LIMIT 1)) AS own
          HAVING (SELECT count(*) FROM changed) <= 1000
          UNION ALL
          SELECT min(day), max(day) FROM store_day HAVING (SELECT count(*) FROM changed) > 1000) AS span,
         generate_series(span.first, span.last, interval '1 day') AS d(day);
    RETURN NULL;
END $$;
CREATE TRIGGER fleet_due_insert AFTER INSERT ON store_timezone
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_zones();
CREATE TRIGGER fleet_due_update AFTER UPDATE ON store_timezone
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_zones();
CREATE TRIGGER fleet_due_delete AFTER DELETE ON store_timezone
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION fleet_due_of_zones();

-- A store that is archived, or is no more: its days from the earlier of the two days on. A store that takes
-- something else: how it stands is to be computed anew, but none of its days is, so the time is far off.
CREATE FUNCTION due_of_stores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_due (day)
    SELECT DISTINCT d.day
    FROM old_store AS o JOIN new_store AS n USING (store_key) JOIN store_day AS d USING (store_key)
    WHERE o.archived_from IS DISTINCT FROM n.archived_from
      AND d.day >= least(o.archived_from, n.archived_from);
    INSERT INTO history_due (first_key, last_key, first_at, last_at)
    SELECT min(store_key), max(store_key), '9999-01-01Z', '9999-01-01Z'
    FROM (SELECT store_key, ntile(100) OVER (ORDER BY store_key) AS part
          FROM old_store AS o JOIN new_store AS n USING (store_key)
          WHERE o.revenue_per_week IS DISTINCT FROM n.revenue_per_week
             OR o.archived_from IS DISTINCT FROM n.archived_from) AS c
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER due_update AFTER UPDATE ON store
    REFERENCING OLD TABLE AS old_store NEW TABLE AS new_store
    FOR EACH STATEMENT EXECUTE FUNCTION due_of_stores();

CREATE FUNCTION due_of_takings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_due (first_key, last_key, first_at, last_at)
    SELECT min(store_key), max(store_key), '9999-01-01Z', '9999-01-01Z'
    FROM (SELECT store_key, ntile(100) OVER (ORDER BY store_key) AS part
          FROM (SELECT DISTINCT store_key FROM changed) AS s) AS c
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER due_insert AFTER INSERT ON revenue_hour
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION due_of_takings();
CREATE TRIGGER due_update AFTER UPDATE ON revenue_hour
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION due_of_takings();
CREATE TRIGGER due_delete AFTER DELETE ON revenue_hour
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION due_of_takings();

-- What there is already: every day is to be added up, and every store to be looked at.
INSERT INTO fleet_due (day)
SELECT d FROM generate_series((SELECT min(day) FROM store_day), (SELECT max(day) FROM store_day), interval '1 day') AS d;
INSERT INTO history_due (first_key, last_key, first_at, last_at)
SELECT 0, 2147483647, '9999-01-01Z', '9999-01-01Z' WHERE EXISTS (SELECT FROM store_day);

COMMENT ON TABLE store_now IS 'How each store stands at the newest poll, and its today, 7 and 30 local days';
COMMENT ON TABLE fleet_day IS 'Local days of the stores of a group, or of all (group_no 0), added up';
COMMENT ON TABLE fleet_due IS 'What of fleet_day is to be added up anew; written by triggers';
