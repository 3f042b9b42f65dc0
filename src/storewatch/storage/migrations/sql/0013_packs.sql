-- storewatch, schema 0013: polls that change no more are read as packs. A stretch is a shard of 1,024 stores on one
-- UTC day. Whoever writes polls gives it another version in the same transaction; a pack stands for the polls of one
-- version and is read only while that is the stretch's. A version comes from a sequence and is never used again, so
-- a pack that was made of a stretch which is gone fits no later one.

CREATE SEQUENCE poll_version;
CREATE TABLE poll_stretch (
    day        date NOT NULL,
    shard      integer NOT NULL,
    version    bigint NOT NULL DEFAULT nextval('poll_version'),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (day, shard)
);
ALTER SEQUENCE poll_version OWNED BY poll_stretch.version;
COMMENT ON TABLE poll_stretch IS 'The version of the polls of 1,024 stores on a UTC day; another one with each change.';

CREATE TABLE poll_pack (
    day     date NOT NULL,
    shard   integer NOT NULL,
    version bigint NOT NULL,
    polls   bytea NOT NULL,
    PRIMARY KEY (day, shard),
    FOREIGN KEY (day, shard) REFERENCES poll_stretch ON DELETE CASCADE
);
ALTER TABLE poll_pack ALTER polls SET STORAGE EXTERNAL; -- it hardly gets smaller, and packing costs time
COMMENT ON TABLE poll_pack IS 'A copy of the polls of a stretch, quick to read; holds while its version is the stretch''s.';

-- What is written to the whole table. Who writes to a partition, as imports do, raises its stretches itself.
CREATE FUNCTION raise_poll_stretches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO poll_stretch (day, shard)
    SELECT DISTINCT (timestamp_utc AT TIME ZONE 'UTC')::date, store_key >> 10 FROM changed ORDER BY 1, 2
    ON CONFLICT (day, shard) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at;
    RETURN NULL;
END $$;
CREATE TRIGGER poll_stretch_insert AFTER INSERT ON store_status
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_poll_stretches();
CREATE TRIGGER poll_stretch_delete AFTER DELETE ON store_status
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_poll_stretches();
CREATE TRIGGER poll_stretch_update_from AFTER UPDATE ON store_status
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_poll_stretches();
CREATE TRIGGER poll_stretch_update_to AFTER UPDATE ON store_status
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION raise_poll_stretches();

CREATE FUNCTION forget_poll_stretches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM poll_stretch;
    RETURN NULL;
END $$;
CREATE TRIGGER poll_stretch_truncate AFTER TRUNCATE ON store_status
    FOR EACH STATEMENT EXECUTE FUNCTION forget_poll_stretches();

-- What is there already; a stretch that has no polls costs next to nothing.
INSERT INTO poll_stretch (day, shard)
SELECT d.day, s.shard
FROM store_status_day AS d CROSS JOIN generate_series(0, (SELECT max(store_key) >> 10 FROM store)) AS s(shard);
