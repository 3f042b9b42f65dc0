-- storewatch, schema 0006: links by which people without an account see some days of one store.

-- Days are local ones of the store, both included. A link works until it expires or is revoked, and as long as
-- who made it (account_no; null: a command, or nobody was logged in) is active and decides on the store: so a link
-- goes with its account, and does not become nobody's.
CREATE TABLE share (
    share_no       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    share_id       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    digest         bytea NOT NULL UNIQUE CHECK (length(digest) = 32),  -- SHA-256 of the secret in the link
    store_key      integer NOT NULL REFERENCES store ON DELETE CASCADE,
    account_no     integer REFERENCES account ON DELETE CASCADE,
    label          text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    first_day      date NOT NULL,
    last_day       date NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    first_used_at  timestamptz,
    last_used_at   timestamptz,
    CHECK (last_day - first_day BETWEEN 0 AND 91),
    CHECK (expires_at > created_at AND expires_at - created_at < interval '91 days'),
    CHECK ((first_used_at IS NULL) = (last_used_at IS NULL))
);
CREATE INDEX share_by_store ON share (store_key, share_no);
CREATE INDEX share_by_account ON share (account_no);

COMMENT ON TABLE share IS 'Links by which people without an account see some days of one store';
