-- storewatch, schema 0011: digests and reports by timetable.

-- What is mailed by itself. `account_no` is to whom, null: to all people of the group; `group_no` is about
-- which stores, null: about all that the person sees. `on_day` is 0 Monday to 6 Sunday of a week, 1 to 31 of
-- a month, null of every day; `minute` is of the day on the clock of `zone`, null: the zone of most of the
-- stores. `usual` is what a member has without having asked for it: switched off, not removed. `next_run_at`
-- is null while it is switched off.
CREATE TABLE schedule (
    schedule_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id     uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    account_no      integer REFERENCES account ON DELETE CASCADE,
    group_no        integer REFERENCES store_group ON DELETE CASCADE,
    name            text NOT NULL CHECK (name <> ''),
    what            text NOT NULL CHECK (what IN ('digest', 'report')),
    every           text NOT NULL CHECK (every IN ('day', 'week', 'month')),
    on_day          integer,
    minute          integer NOT NULL CHECK (minute BETWEEN 0 AND 1439),
    zone            text,
    format          text NOT NULL CHECK (format IN ('none', 'csv', 'xlsx')),
    only_if_missed  boolean NOT NULL DEFAULT false,
    usual           boolean NOT NULL DEFAULT false,
    next_run_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      integer REFERENCES account ON DELETE SET NULL,
    CHECK (num_nonnulls(account_no, group_no) >= 1),
    CHECK (CASE every WHEN 'week' THEN on_day BETWEEN 0 AND 6 AND on_day IS NOT NULL
                      WHEN 'month' THEN on_day BETWEEN 1 AND 31 AND on_day IS NOT NULL
                      ELSE on_day IS NULL END),
    CHECK (what = 'digest' OR format <> 'none')
);
CREATE INDEX schedule_by_account ON schedule (account_no);
CREATE INDEX schedule_by_group ON schedule (group_no);
CREATE INDEX schedule_by_run ON schedule (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE UNIQUE INDEX schedule_usual ON schedule (account_no) WHERE usual;

-- Who of a group's people does not want one of its schedules.
CREATE TABLE schedule_mute (
    account_no   integer NOT NULL REFERENCES account ON DELETE CASCADE,
    schedule_no  integer NOT NULL REFERENCES schedule ON DELETE CASCADE,
    PRIMARY KEY (account_no, schedule_no)
);

-- A run of a schedule, once for each time that it was due: what it sends are deliveries.
CREATE TABLE schedule_run (
    run_no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_no  integer NOT NULL REFERENCES schedule ON DELETE CASCADE,
    due_at       timestamptz NOT NULL,
    asked_for    boolean NOT NULL DEFAULT false,
    report_no    integer REFERENCES report ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (schedule_no, due_at)
);

-- A delivery is of a notice, of a run, or (neither) of a test.
ALTER TABLE delivery
    ADD COLUMN run_no bigint REFERENCES schedule_run ON DELETE CASCADE,
    ADD UNIQUE (run_no, account_no),
    ADD CHECK (num_nonnulls(notice_no, run_no) <= 1);

-- Which database this was when a worker last looked: the server, the database and this table, and on which
-- timeline of recovery. A copy that was restored from a backup is another one: what waited in it is not sent,
-- and schedules go on from now. One row.
CREATE TABLE lived_in (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    place      text NOT NULL,
    timeline   integer NOT NULL,
    looked_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

COMMENT ON TABLE schedule IS 'What is mailed by itself: digests and reports by timetable';
COMMENT ON TABLE schedule_mute IS 'Who of a group''s people does not want one of its schedules';
COMMENT ON TABLE schedule_run IS 'A run of a schedule, once for each time that it was due';
COMMENT ON TABLE lived_in IS 'Which database this was when a worker last looked';
