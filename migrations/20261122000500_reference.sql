-- The division tree, with the national statistical codes: a division lies in another if its code starts with it.
CREATE TABLE divisions (
    code        text PRIMARY KEY,
    level       text NOT NULL CHECK (level IN ('service', 'city', 'district', 'street', 'community')),
    name        text NOT NULL,
    name_en     text,
    parent_code text REFERENCES divisions (code)
);
-- Everything this service holds: the area of who looks after several cities.
INSERT INTO divisions (code, level, name, name_en) VALUES ('', 'service', '全部', 'Everything');
CREATE INDEX divisions_parent ON divisions (parent_code);

CREATE TABLE units (
    code     text PRIMARY KEY,
    name     text NOT NULL,
    name_en  text NOT NULL,
    division text NOT NULL REFERENCES divisions (code),
    -- The kind of street office (`desk` is the street's own desk); categories are routed by it.
    office   text NOT NULL
);
CREATE INDEX units_division ON units (division, office);

CREATE TABLE staff (
    id            uuid PRIMARY KEY,
    sign_in       text NOT NULL UNIQUE,
    name          text NOT NULL,
    name_en       text NOT NULL,
    role          text NOT NULL,
    area          text NOT NULL REFERENCES divisions (code),
    unit          text REFERENCES units (code),
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true
);

CREATE TABLE contact_districts (
    code        text PRIMARY KEY,
    name        text NOT NULL,
    name_en     text NOT NULL,
    street      text NOT NULL REFERENCES divisions (code),
    -- Inside one or two communities.
    communities text[] NOT NULL CHECK (cardinality(communities) BETWEEN 1 AND 2),
    cadre       uuid NOT NULL REFERENCES staff (id)
);
CREATE INDEX contact_districts_communities ON contact_districts USING gin (communities);

-- Signed-in staff. Only a digest of the token is kept.
CREATE TABLE sessions (
    token_digest bytea PRIMARY KEY,
    staff        uuid NOT NULL REFERENCES staff (id),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed tries at a sign-in name or a case number, to slow down guessing.
CREATE TABLE guesses (
    what   text NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX guesses_what ON guesses (what, at);
COMMENT ON COLUMN guesses.what IS 'Keyed digest of the name or number tried; never the name itself.';
