-- How far each read model has read. Moved in the transaction of its rows.
CREATE TABLE checkpoints (
    projection     text   NOT NULL PRIMARY KEY,
    version        integer NOT NULL,
    transaction_id xid8   NOT NULL DEFAULT '0',
    position       bigint NOT NULL DEFAULT 0,
    moved_at       timestamptz NOT NULL DEFAULT now()
);

-- Every read model with a row a case starts with the same columns: where the case stands, which is also what the
-- filter of access scopes needs, and the folded state, so that no rule of the workflow is written twice.

-- Case file: the head of each case and its timeline. Private parts stay sealed.
CREATE TABLE case_files (
    case_id          uuid PRIMARY KEY,
    version          bigint NOT NULL,
    state            jsonb NOT NULL,
    number           text NOT NULL,
    kind             text NOT NULL,
    category         text NOT NULL,
    division         text NOT NULL,
    contact_district text,
    contact_cadre    uuid,
    unit             text,
    offered_to       text,
    stage            text NOT NULL,
    with_supervisor  boolean NOT NULL,
    submitted_at     timestamptz NOT NULL,
    contact          jsonb,
    place_detail     jsonb,
    words            jsonb NOT NULL,
    attachments      jsonb NOT NULL,
    channel          text NOT NULL,
    source_system    text,
    source_id        text,
    previous_case    uuid,
    contact_due      jsonb,
    legal_due        jsonb,
    resulted_at      timestamptz,
    closed_at        timestamptz,
    verdict          text,
    score            smallint
);
CREATE UNIQUE INDEX case_files_number ON case_files (number);
CREATE INDEX case_files_source ON case_files (source_system, source_id) WHERE source_system IS NOT NULL;

CREATE TABLE case_timeline (
    case_id     uuid NOT NULL,
    sequence    bigint NOT NULL,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    event       jsonb NOT NULL,
    PRIMARY KEY (case_id, sequence)
);

-- The contact-district queue: open cases by time left.
CREATE TABLE queue_entries (
    case_id          uuid PRIMARY KEY,
    version          bigint NOT NULL,
    state            jsonb NOT NULL,
    number           text NOT NULL,
    kind             text NOT NULL,
    category         text NOT NULL,
    division         text NOT NULL,
    contact_district text,
    contact_cadre    uuid,
    unit             text,
    offered_to       text,
    stage            text NOT NULL,
    with_supervisor  boolean NOT NULL,
    submitted_at     timestamptz NOT NULL,
    open             boolean NOT NULL,
    place_detail     jsonb,
    words            jsonb NOT NULL,
    -- What is due next and when: first contact while there was none, else the result, else the resident's answer
    -- or verdict. 'infinity' where nothing is due, so that the order is total.
    due_at           timestamptz NOT NULL,
    due_what         text,
    contact_due_at   timestamptz
);
CREATE INDEX queue_by_due ON queue_entries (due_at, case_id) WHERE open;
CREATE INDEX queue_by_division ON queue_entries (division text_pattern_ops, due_at, case_id) WHERE open;
CREATE INDEX queue_by_unit ON queue_entries (unit, due_at, case_id) WHERE open;
CREATE INDEX queue_by_offer ON queue_entries (offered_to) WHERE open AND offered_to IS NOT NULL;
CREATE INDEX queue_by_contact_district ON queue_entries (contact_district, due_at, case_id) WHERE open;
CREATE INDEX queue_by_cadre ON queue_entries (contact_cadre, due_at, case_id) WHERE open;

-- Resolution times and the figures of the board: nothing personal.
CREATE TABLE resolution_cases (
    case_id          uuid PRIMARY KEY,
    version          bigint NOT NULL,
    state            jsonb NOT NULL,
    number           text NOT NULL,
    kind             text NOT NULL,
    category         text NOT NULL,
    division         text NOT NULL,
    contact_district text,
    contact_cadre    uuid,
    unit             text,
    offered_to       text,
    stage            text NOT NULL,
    with_supervisor  boolean NOT NULL,
    submitted_at     timestamptz NOT NULL,
    source_system    text,
    observed_until   timestamptz,
    contact_due_at   timestamptz,
    contacted_at     timestamptz,
    -- The clock of the first result; moved by pauses, never restarted by a reopening.
    first_due_at     timestamptz,
    first_result_at  timestamptz,
    -- The result that has stood so far; emptied by a reopening.
    result_at        timestamptz,
    closed_at        timestamptz,
    withdrawn_at     timestamptz,
    asked_at         timestamptz,
    rated_at         timestamptz,
    reopened_at      timestamptz,
    verdict          text,
    score            smallint,
    waivers          integer NOT NULL,
    hand_overs       integer NOT NULL
);
CREATE INDEX resolution_by_division ON resolution_cases (division text_pattern_ops);
CREATE INDEX resolution_by_unit ON resolution_cases (unit);
