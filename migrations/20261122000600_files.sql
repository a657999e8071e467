-- Photos handed in before there is a case, and half-written submissions. Both sealed, both swept after a day.
CREATE TABLE uploads (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    media_type text NOT NULL,
    sealed     bytea NOT NULL,
    size_bytes bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX uploads_owner ON uploads (owner);
CREATE INDEX uploads_expiry ON uploads (expires_at);

CREATE TABLE drafts (
    owner      text NOT NULL,
    kind       text NOT NULL,
    sealed     bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (owner, kind)
);
CREATE INDEX drafts_expiry ON drafts (expires_at);
COMMENT ON COLUMN drafts.owner IS 'Keyed digest of the visitor''s cookie.';

-- Photos and papers of cases, sealed under the key of the case.
CREATE TABLE attachments (
    id         uuid PRIMARY KEY,
    case_id    uuid NOT NULL,
    media_type text NOT NULL,
    sealed     bytea NOT NULL,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attachments_case ON attachments (case_id);

-- How far each import has come; moved in the transaction of the cases it made.
CREATE TABLE imports (
    system      text NOT NULL,
    file_digest bytea NOT NULL,
    rows_read   bigint NOT NULL DEFAULT 0,
    accepted    bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    PRIMARY KEY (system, file_digest)
);
