-- storewatch, schema 0010: storefronts that we look at ourselves.

-- Where a store takes orders, how often it is looked at, and what must be there for it to count as active:
-- an expected status; words of the page that must or must not stand there; a value at a path of its JSON.
-- Empty: not asked for. Below, what the last look saw: `active` is null if it said nothing of the store.
CREATE TABLE storefront (
    store_key   integer PRIMARY KEY REFERENCES store ON DELETE CASCADE,
    url         text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    every_s     integer NOT NULL DEFAULT 300 CHECK (every_s BETWEEN 30 AND 86400),
    timeout_s   integer NOT NULL DEFAULT 10 CHECK (timeout_s BETWEEN 1 AND 60),
    statuses    text NOT NULL DEFAULT '2xx' CHECK (statuses <> ''),
    says        text NOT NULL DEFAULT '',
    says_not    text NOT NULL DEFAULT '',
    json_path   text NOT NULL DEFAULT '',
    json_value  text NOT NULL DEFAULT '',
    enabled     boolean NOT NULL DEFAULT true,
    looked_at   timestamptz,
    active      boolean,
    said        text,
    took_ms     integer CHECK (took_ms >= 0),
    CHECK ((json_path = '') = (json_value = '')),
    CHECK ((looked_at IS NULL) = (said IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE storefront IS 'Storefronts that we look at ourselves, and what the last look saw';
