-- Data keys, in a schema of their own so that they can have their own role and their own backups.
CREATE SCHEMA keys;

CREATE TABLE keys.data_keys (
    subject    text        NOT NULL PRIMARY KEY,
    wrapped    bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    erased_at  timestamptz,
    CONSTRAINT wrapped_until_erased CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);

COMMENT ON COLUMN keys.data_keys.subject IS 'case:<uuid> or person:<uuid>.';
COMMENT ON COLUMN keys.data_keys.wrapped IS 'The data key under the master key; NULL once erased.';

-- Which person is behind a way to be reached. The digest is keyed, so a dump doesn''t tell the number.
CREATE TABLE keys.persons (
    contact_digest bytea       NOT NULL PRIMARY KEY,
    person_id      uuid        NOT NULL UNIQUE,
    created_at     timestamptz NOT NULL DEFAULT now()
);
