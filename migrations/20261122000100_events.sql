-- The event log. The first seven columns and the key are those of postgres-es, which can read and write the table;
-- the others are filled by defaults.
CREATE SEQUENCE events_position AS bigint CACHE 1;

CREATE TABLE events (
    aggregate_type text   NOT NULL,
    aggregate_id   text   NOT NULL,
    sequence       bigint NOT NULL CHECK (sequence >= 0),
    event_type     text   NOT NULL,
    event_version  text   NOT NULL,
    payload        json   NOT NULL,
    metadata       json   NOT NULL,
    transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint      NOT NULL DEFAULT nextval('events_position'),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    prev_hash      bytea,
    hash           bytea,
    CONSTRAINT events_pkey PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);

ALTER SEQUENCE events_position OWNED BY events.position;

-- Readers go in this order and stop below the oldest running transaction, so a late commit is never skipped.
CREATE UNIQUE INDEX events_read_order ON events (transaction_id, position);

COMMENT ON COLUMN events.payload IS 'The event; personal data and free text sealed inside it under data keys of keys.data_keys.';
COMMENT ON COLUMN events.metadata IS 'Why: correlation_id, causation_id, request_id.';
COMMENT ON COLUMN events.transaction_id IS 'Transaction that wrote it; first part of the reading order.';
COMMENT ON COLUMN events.position IS 'Drawn from a sequence; may have gaps; second part of the reading order.';
COMMENT ON COLUMN events.recorded_at IS 'When it was recorded; when it happened stands in the payload.';
COMMENT ON COLUMN events.prev_hash IS 'Chain of the aggregate; not filled yet.';

-- What a client has already been answered, so that a retry gets the same answer.
CREATE TABLE requests (
    actor          text   NOT NULL,
    key            text   NOT NULL,
    body_hash      bytea  NOT NULL,
    aggregate_id   text   NOT NULL,
    version        bigint NOT NULL,
    transaction_id xid8   NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT requests_pkey PRIMARY KEY (actor, key)
);

CREATE INDEX requests_age ON requests (recorded_at);

COMMENT ON COLUMN requests.actor IS 'Whose keys these are: staff:<id>, person or visitor cookie digest.';
COMMENT ON COLUMN requests.body_hash IS 'SHA-256 of the request; the same key with another body is refused.';
