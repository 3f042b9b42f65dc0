-- storewatch, schema 0003: history by store and local day, and what of it is due.

-- By which rules rows of store_day were made. Other settings or zone data are other rules.
CREATE TABLE history_rules (
    rules_no           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy             text NOT NULL CHECK (policy IN ('nearest', 'previous')),
    max_gap_us         bigint NOT NULL CHECK (max_gap_us > 0),
    seen_within_us     bigint NOT NULL CHECK (seen_within_us > 0),
    default_zone       text NOT NULL,
    zone_data_version  text NOT NULL,
    UNIQUE (policy, max_gap_us, seen_within_us, default_zone, zone_data_version)
);

-- A store's local day, exact to the microsecond. Not partitioned: a store's months are read by the primary
-- key, the fleet's by the other index, and the last days of every store are updated in place each hour,
-- for which the pages keep room. Element i of the arrays is the i-th started hour since local midnight, so
-- there are as many as the day has hours (23 to 25), and each array adds up to the day's total.
CREATE TABLE store_day (
    store_key            integer NOT NULL REFERENCES store ON DELETE CASCADE,
    day                  date NOT NULL,
    up_seen_us           bigint NOT NULL CHECK (up_seen_us >= 0),
    up_inferred_us       bigint NOT NULL CHECK (up_inferred_us >= 0),
    down_seen_us         bigint NOT NULL CHECK (down_seen_us >= 0),
    down_inferred_us     bigint NOT NULL CHECK (down_inferred_us >= 0),
    unknown_us           bigint NOT NULL CHECK (unknown_us >= 0),
    longest_outage_us    bigint NOT NULL CHECK (longest_outage_us >= 0),
    as_of                timestamptz NOT NULL,
    outages              integer NOT NULL CHECK (outages >= 0),
    rules_no             integer NOT NULL REFERENCES history_rules,
    starts_down          boolean NOT NULL,
    ends_down            boolean NOT NULL,
    complete             boolean NOT NULL,
    up_by_hour_us        bigint[] NOT NULL,
    down_by_hour_us      bigint[] NOT NULL,
    unknown_by_hour_us   bigint[] NOT NULL,
    seen_by_hour_us      bigint[] NOT NULL,
    PRIMARY KEY (store_key, day)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX store_day_by_day ON store_day (day, store_key);

-- What is to be computed anew: the local days of a store that an instant of this range lies in. A change
-- adds its rows in its own transaction; a job takes them away with the one that writes the days.
CREATE TABLE history_due (
    due_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store_key  integer NOT NULL REFERENCES store ON DELETE CASCADE,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    CHECK (first_at <= last_at)
);
CREATE INDEX history_due_by_store ON history_due (store_key);

-- For which newest poll, and by which rules, the days are computed or due. One row; whoever reads history
-- compares it with the newest poll and the settings of now, and computes itself what that makes different.
CREATE TABLE history_present (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    as_of     timestamptz,
    rules_no  integer REFERENCES history_rules
);
INSERT INTO history_present DEFAULT VALUES;

-- A link for a new password that was asked for is counted like a failed login, but apart from them: who
-- failed to log in may still ask for one.
ALTER TABLE login_failure ADD COLUMN kind text NOT NULL DEFAULT 'log_in' CHECK (kind IN ('log_in', 'forgot'));

-- People: what is open of invitations is listed and withdrawn by an id; the audit log is looked through by time.
ALTER TABLE one_time_link ADD COLUMN link_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
CREATE INDEX audit_by_time ON audit (at);
