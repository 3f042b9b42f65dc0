-- storewatch, schema 0009: what is thought of each store now, incidents, and who is told of them.

-- How a store stands at `looked_at`, for alerting only: recorded outages are the engine's. `down_from` is the
-- first poll of the downtime that counts or is suspected, `seen_at` the newest poll in opening hours. The state
-- may be another from `look_again_at` on although no poll comes. `live_at` is when its newest poll was fresh
-- last: only a store that was live can fall silent, and not one whose history was imported.
CREATE TABLE store_watch (
    store_key      integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    state          text NOT NULL
                   CHECK (state IN ('up', 'suspected', 'down', 'recovering', 'closed', 'not_seen')),
    down_from      timestamptz,
    seen_at        timestamptz,
    looked_at      timestamptz NOT NULL,
    look_again_at  timestamptz,
    live_at        timestamptz
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX store_watch_by_look ON store_watch (look_again_at);

-- Stores to be looked at, by their keys: their polls, hours or zone changed. Added in the transaction that
-- changes them, taken away in the one that writes what was seen.
CREATE TABLE watch_due (
    due_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_key  integer NOT NULL,
    last_key   integer NOT NULL,
    CHECK (first_key <= last_key)
);

-- Something that people are told of from its beginning to its end. `down`: a store; `mass`: many stores of a
-- group at once, whose own incidents name it in `mass_no` and are not told one by one; `no_data`: no polls of
-- a group, or (group_no null) of anybody; `budget`: a service level's budget is nearly used.
CREATE TABLE incident (
    incident_no      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id      uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    kind             text NOT NULL CHECK (kind IN ('down', 'mass', 'no_data', 'budget')),
    store_key        integer REFERENCES store ON DELETE CASCADE,
    group_no         integer REFERENCES store_group ON DELETE CASCADE,
    level_no         integer REFERENCES service_level ON DELETE CASCADE,
    mass_no          bigint REFERENCES incident ON DELETE SET NULL,
    began_at         timestamptz NOT NULL,
    noticed_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    reason           text,
    intended         boolean NOT NULL DEFAULT false,
    acknowledged_at  timestamptz,
    acknowledged_by  integer REFERENCES account ON DELETE SET NULL,
    snoozed_until    timestamptz,
    detail           jsonb NOT NULL DEFAULT '{}',
    CHECK ((kind = 'down') = (store_key IS NOT NULL)),
    CHECK ((kind = 'budget') = (level_no IS NOT NULL)),
    CHECK (ended_at >= noticed_at)
);
CREATE UNIQUE INDEX incident_of_store ON incident (store_key) WHERE ended_at IS NULL AND kind = 'down';
CREATE UNIQUE INDEX incident_of_group ON incident (kind, coalesce(group_no, 0))
    WHERE ended_at IS NULL AND kind IN ('mass', 'no_data');
CREATE UNIQUE INDEX incident_of_level ON incident (level_no, began_at) WHERE kind = 'budget';
CREATE INDEX incident_by_store ON incident (store_key, incident_no);
CREATE INDEX incident_by_mass ON incident (mass_no) WHERE mass_no IS NOT NULL;

-- What a group's people are told, and when they are left in peace. A group without a row has the defaults.
-- Lengths in minutes; quiet hours in minutes of the day on the clock of `quiet_zone`, the end may be on the
-- next day; null: not at all.
CREATE TABLE alert_rule (
    group_no            integer PRIMARY KEY REFERENCES store_group ON DELETE CASCADE,
    down                boolean NOT NULL DEFAULT true,
    recovered           boolean NOT NULL DEFAULT true,
    still_down_after    integer[] NOT NULL DEFAULT '{}',
    mass_percent        integer CHECK (mass_percent BETWEEN 1 AND 100),
    mass_within         integer CHECK (mass_within BETWEEN 1 AND 1440),
    no_data_after       integer CHECK (no_data_after BETWEEN 5 AND 10080),
    budget_percent      integer CHECK (budget_percent BETWEEN 1 AND 100),
    quiet_from          integer CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_until         integer CHECK (quiet_until BETWEEN 0 AND 1439),
    quiet_zone          text,
    CHECK ((mass_percent IS NULL) = (mass_within IS NULL)),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL) AND (quiet_from IS NULL) = (quiet_zone IS NULL)),
    CHECK (quiet_from <> quiet_until)
);

-- Who of a group's people does not want its mails.
CREATE TABLE alert_mute (
    account_no  integer NOT NULL REFERENCES account ON DELETE CASCADE,
    group_no    integer NOT NULL REFERENCES store_group ON DELETE CASCADE,
    muted_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_no, group_no)
);

-- Where else a group's alerts go: an address of Apprise, or our own signed webhook (https://…).
CREATE TABLE alert_channel (
    channel_no  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id  uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    group_no    integer NOT NULL REFERENCES store_group ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    kind        text NOT NULL,
    url         text NOT NULL,
    enabled     boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  integer REFERENCES account ON DELETE SET NULL,
    UNIQUE (group_no, name)
);

-- Something said of an incident, once: `key` makes sure of that, and goes out with it, so that who gets it
-- twice can tell. `step` tells apart several of a kind, such as "still down" after 2 h and after 6 h.
CREATE TABLE notice (
    notice_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_no  bigint NOT NULL REFERENCES incident ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('begun', 'still', 'ended')),
    step         integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (incident_no, kind, step)
);

-- A notice on its way to a person or a channel. `key` is what a duplicate is known by.
CREATE TABLE delivery (
    delivery_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_no    bigint REFERENCES notice ON DELETE CASCADE,
    account_no   integer REFERENCES account ON DELETE CASCADE,
    channel_no   integer REFERENCES alert_channel ON DELETE CASCADE,
    group_no     integer REFERENCES store_group ON DELETE CASCADE,
    key          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    status       text NOT NULL DEFAULT 'waiting'
                 CHECK (status IN ('waiting', 'held', 'sent', 'failed', 'dropped')),
    not_before   timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    said         text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    UNIQUE (notice_no, account_no),
    UNIQUE (notice_no, channel_no),
    CHECK (num_nonnulls(account_no, channel_no) = 1)
);
CREATE INDEX delivery_waiting ON delivery (not_before) WHERE status IN ('waiting', 'held');
CREATE INDEX delivery_by_group ON delivery (group_no, delivery_no);

COMMENT ON TABLE store_watch IS 'How each store stands now, for alerting';
COMMENT ON TABLE watch_due IS 'Stores to be looked at, for alerting';
COMMENT ON TABLE incident IS 'What people are told of from its beginning to its end';
COMMENT ON TABLE alert_rule IS 'What a group''s people are told, and when they are left in peace';
COMMENT ON TABLE alert_mute IS 'Who of a group''s people does not want its mails';
COMMENT ON TABLE alert_channel IS 'Where else a group''s alerts go';
COMMENT ON TABLE notice IS 'Something said of an incident, once';
COMMENT ON TABLE delivery IS 'A notice on its way to a person or a channel';
