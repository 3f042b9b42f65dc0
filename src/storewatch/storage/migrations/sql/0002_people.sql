-- storewatch, schema 0002: people, groups of stores, tokens, uploads, an audit log; more about stores.

-- People. Admins and operators see every store; a member sees the stores of the groups they belong to.
CREATE TABLE account (
    account_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     uuid NOT NULL UNIQUE,
    email          text NOT NULL CHECK (length(email) BETWEEN 3 AND 320),
    role           text NOT NULL CHECK (role IN ('admin', 'operator', 'member')),
    password_hash  text,  -- argon2; null until the person has chosen a password
    active         boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_login_at  timestamptz
);
CREATE UNIQUE INDEX account_email ON account (lower(email));

-- A brand, a region, a franchisee: stores may be in any number of groups.
CREATE TABLE store_group (
    group_no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id    uuid NOT NULL UNIQUE,
    name        text COLLATE "C" NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE group_store (
    group_no   integer NOT NULL REFERENCES store_group ON DELETE CASCADE,
    store_key  integer NOT NULL REFERENCES store ON DELETE CASCADE,
    PRIMARY KEY (group_no, store_key)
);
CREATE INDEX group_store_by_store ON group_store (store_key, group_no);

CREATE TABLE membership (
    account_no  integer NOT NULL REFERENCES account ON DELETE CASCADE,
    group_no    integer NOT NULL REFERENCES store_group ON DELETE CASCADE,
    role        text NOT NULL CHECK (role IN ('manager', 'viewer')),
    PRIMARY KEY (account_no, group_no)
);
CREATE INDEX membership_by_group ON membership (group_no);

-- Of every secret only its SHA-256 is stored: who reads this database cannot log in with it.
CREATE TABLE login (
    digest        bytea PRIMARY KEY CHECK (length(digest) = 32),
    account_no    integer NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    address       text
);
CREATE INDEX login_by_account ON login (account_no);

CREATE TABLE token (
    token_no      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_id      uuid NOT NULL UNIQUE,
    account_no    integer NOT NULL REFERENCES account ON DELETE CASCADE,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    scope         text NOT NULL CHECK (scope IN ('read', 'import', 'write')),
    digest        bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX token_by_account ON token (account_no);

-- Links that work once: to become the first administrator, to accept an invitation, to reset a password.
-- An invitation holds what it gives, which is given when it is accepted. A link that is to be mailed has
-- no digest until its mail is written.
CREATE TABLE one_time_link (
    link_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      bytea UNIQUE CHECK (length(digest) = 32),
    kind        text NOT NULL CHECK (kind IN ('first_admin', 'invitation', 'reset')),
    account_no  integer REFERENCES account ON DELETE CASCADE,  -- whose password is reset
    email       text,                                          -- who is invited
    role        text CHECK (role IN ('admin', 'operator', 'member')),
    groups      jsonb,                                         -- {"group_no": "manager" or "viewer"}
    invited_by  integer REFERENCES account ON DELETE CASCADE,  -- null: by a command
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    CHECK ((kind = 'reset') = (account_no IS NOT NULL)),
    CHECK ((kind = 'invitation') = (email IS NOT NULL AND role IS NOT NULL AND groups IS NOT NULL))
);
CREATE INDEX one_time_link_by_account ON one_time_link (account_no);

-- Failed logins, also for accounts that do not exist: by a digest of the address that was tried.
CREATE TABLE login_failure (
    failure_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    failed_at  timestamptz NOT NULL DEFAULT now(),
    email      bytea NOT NULL,
    address    text NOT NULL
);
CREATE INDEX login_failure_by_email ON login_failure (email, failed_at);
CREATE INDEX login_failure_by_address ON login_failure (address, failed_at);

-- What all processes of a service share, such as the key that signs cookies.
CREATE TABLE app_secret (
    name   text PRIMARY KEY,
    value  bytea NOT NULL
);

-- Who did what to what, when, from where. Rows are only ever added. No foreign keys: it outlives all.
CREATE TABLE audit (
    audit_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id   uuid,
    email        text,
    via          text NOT NULL CHECK (via IN ('session', 'token', 'no-login', 'command', 'link', 'none')),
    token_id     uuid,
    address      text,
    action       text NOT NULL,
    kind         text NOT NULL,
    subject      text NOT NULL,
    detail       jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_subject ON audit (kind, subject, audit_no);
CREATE INDEX audit_by_account ON audit (account_id, audit_no);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- More about stores. An archived store is left out of reports and pages from that day on.
ALTER TABLE store
    ADD COLUMN location          text,
    ADD COLUMN platform          text,
    ADD COLUMN storefront_url    text,
    ADD COLUMN manage_url        text,
    ADD COLUMN notes             text,
    ADD COLUMN revenue_per_week  numeric(12, 2) CHECK (revenue_per_week >= 0),
    ADD COLUMN archived_from     date,
    ADD COLUMN created_at        timestamptz NOT NULL DEFAULT now();

-- Who loaded it; a fourth kind of file.
ALTER TABLE import
    ADD COLUMN account_no integer REFERENCES account ON DELETE SET NULL,
    DROP CONSTRAINT import_kind_check,
    ADD CONSTRAINT import_kind_check
        CHECK (kind IN ('store_status', 'menu_hours', 'store_timezone', 'stores'));

-- Files that came over HTTP, taken in by a job. The file itself lies in the home's folder of uploads.
CREATE TABLE upload (
    upload_no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    upload_id    uuid NOT NULL UNIQUE,
    kind         text CHECK (kind IN ('store_status', 'menu_hours', 'store_timezone', 'stores')),
    file_name    text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    size_bytes   bigint NOT NULL CHECK (size_bytes >= 0),
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    status       text NOT NULL CHECK (status IN ('queued', 'running', 'complete', 'failed')),
    progress     smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    attempt      integer NOT NULL DEFAULT 0,
    account_no   integer REFERENCES account ON DELETE SET NULL,
    import_no    integer REFERENCES import ON DELETE SET NULL,
    error        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    removed_at   timestamptz,  -- since when the file itself is gone
    CHECK ((status = 'failed') = (error IS NOT NULL)),
    CHECK ((status IN ('complete', 'failed')) = (finished_at IS NOT NULL))
);

-- A request that was made, by the key that its client gave it: the same key again gets the same answer.
CREATE TABLE idempotency_key (
    account_no   integer NOT NULL,  -- 0 without logins
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint  bytea NOT NULL,  -- SHA-256 of method, path and body
    status       smallint NOT NULL,
    headers      jsonb NOT NULL,
    body         bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_no, key)
);

-- Who asked for a report, for which stores, and whom to tell. No account: a command, or serve --no-login.
ALTER TABLE report
    ADD COLUMN account_no  integer REFERENCES account ON DELETE CASCADE,
    ADD COLUMN store_ids   text[],  -- null: every store that its creator may see
    ADD COLUMN group_ids   uuid[],
    ADD COLUMN webhook     text,
    DROP CONSTRAINT report_status_check,
    ADD CONSTRAINT report_status_check
        CHECK (status IN ('queued', 'running', 'complete', 'failed', 'cancelled')),
    DROP CONSTRAINT report_check1,
    ADD CONSTRAINT report_finished CHECK ((status IN ('complete', 'failed', 'cancelled')) = (finished_at IS NOT NULL));
CREATE INDEX report_by_account ON report (account_no, report_no);

-- The extended form of a report: outages and the longest one by window, and what was given of the store.
-- Null in rows of reports made before this schema.
ALTER TABLE store_report
    ADD COLUMN outages            integer[],
    ADD COLUMN longest_outage_us  bigint[],
    ADD COLUMN hours_given        boolean,
    ADD COLUMN zone_given         boolean;
