-- storewatch, schema 0003: history by store and local day, and what of it is due.

-- A store's local day, exact to the microsecond. Not partitioned: a store's months are read by the primary
-- key, and the last days of every store are updated in place each hour, for which the pages keep room.
-- Element i of the arrays is the i-th started hour since local midnight, so there are as many as the day
-- has hours (23 to 25), and each array adds up to the day's total.
CREATE TABLE store_day (
    store_key            integer NOT NULL REFERENCES store ON DELETE CASCADE,
    day                  date NOT NULL,
    up_seen_us           bigint NOT NULL CHECK (up_seen_us >= 0),
    up_inferred_us       bigint NOT NULL CHECK (up_inferred_us >= 0),
    down_seen_us         bigint NOT NULL CHECK (down_seen_us >= 0),
    down_inferred_us     bigint NOT NULL CHECK (down_inferred_us >= 0),
    unknown_us           bigint NOT NULL CHECK (unknown_us >= 0),
    longest_outage_us    bigint NOT NULL CHECK (longest_outage_us >= 0),
    outages              integer NOT NULL CHECK (outages >= 0),
    starts_down          boolean NOT NULL,
    ends_down            boolean NOT NULL,
    complete             boolean NOT NULL,
    up_by_hour_us        bigint[] NOT NULL,
    down_by_hour_us      bigint[] NOT NULL,
    unknown_by_hour_us   bigint[] NOT NULL,
    seen_by_hour_us      bigint[] NOT NULL,
    PRIMARY KEY (store_key, day)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- What is to be computed anew: the local days, of the stores with these keys, that an instant of this range
-- lies in. A change adds its rows in its own transaction; a job takes them away, or raises first_key, with
-- the one that writes the days. Keys of no store are harmless.
CREATE TABLE history_due (
    due_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_key  integer NOT NULL,
    last_key   integer NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    CHECK (first_key <= last_key),
    CHECK (first_at <= last_at)
);
CREATE INDEX history_due_by_key ON history_due (first_key, last_key);

-- For which newest poll, and by which rules, the days are computed or due. One row; whoever reads history
-- compares it with the newest poll and the settings of now, and computes itself what that makes different.
CREATE TABLE history_present (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    as_of  timestamptz,
    rules  jsonb
);
INSERT INTO history_present DEFAULT VALUES;

-- A link for a new password that was asked for is counted like a failed login, but apart from them: who
-- failed to log in may still ask for one.
ALTER TABLE login_failure ADD COLUMN kind text NOT NULL DEFAULT 'log_in' CHECK (kind IN ('log_in', 'forgot'));

-- People: what is open of invitations is listed and withdrawn by an id; the audit log is looked through by time.
ALTER TABLE one_time_link ADD COLUMN link_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
CREATE INDEX audit_by_time ON audit (at);
