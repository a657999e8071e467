-- The run-once rule, enforced in the transaction of the append. Every refusal is a named constraint.

-- Filing: the same resident, the same matter, still open: one.
CREATE TABLE run_once_matters (
    person_id  uuid NOT NULL,
    matter     text NOT NULL,
    case_id    uuid NOT NULL,
    open       boolean NOT NULL,
    closed_at  timestamptz,
    -- The unit that closed it: a re-filing counts against it.
    closed_by  text,
    CONSTRAINT run_once_matters_pkey PRIMARY KEY (case_id)
);
CREATE UNIQUE INDEX run_once_one_open_filing ON run_once_matters (person_id, matter) WHERE open;
CREATE INDEX run_once_matters_closed ON run_once_matters (person_id, matter, closed_at) WHERE NOT open;

-- Numbers are drawn at random; two cases never share one.
CREATE TABLE run_once_cases (
    case_id                  uuid PRIMARY KEY,
    number                   text NOT NULL,
    person_id                uuid NOT NULL,
    trips                    integer NOT NULL DEFAULT 0,
    trips_max                integer NOT NULL,
    material_requests        integer NOT NULL DEFAULT 0,
    material_requests_max    integer NOT NULL,
    held_paper_waivers       integer NOT NULL DEFAULT 0,
    holder                   text NOT NULL,
    offered_to               text,
    -- Set by a hand-over that nobody was offered: refused by the constraint below.
    taken_without_offer      boolean NOT NULL DEFAULT false,
    breaches                 integer NOT NULL DEFAULT 0,
    CONSTRAINT case_number_taken UNIQUE (number),
    CONSTRAINT run_once_hand_over_has_taker CHECK (NOT taken_without_offer),
    CONSTRAINT run_once_trips CHECK (trips <= trips_max),
    CONSTRAINT run_once_material_requests CHECK (material_requests <= material_requests_max)
);

-- Papers a resident has handed over: never asked for again.
CREATE TABLE run_once_held_papers (
    person_id uuid NOT NULL,
    kind      text NOT NULL,
    case_id   uuid NOT NULL,
    number    text NOT NULL,
    held_at   timestamptz NOT NULL,
    PRIMARY KEY (person_id, kind)
);

-- What was asked for, and where it was already held: refused unless a supervisor waived it.
CREATE TABLE run_once_paper_asks (
    case_id  uuid NOT NULL,
    sequence bigint NOT NULL,
    kind     text NOT NULL,
    held_in  uuid,
    waived   boolean NOT NULL,
    PRIMARY KEY (case_id, sequence, kind),
    CONSTRAINT run_once_nothing_held_is_asked CHECK (held_in IS NULL OR waived)
);

-- Every breach, with the event that made it one.
CREATE TABLE run_once_breaches (
    case_id     uuid NOT NULL,
    row         text NOT NULL,
    sequence    bigint NOT NULL,
    unit        text,
    at          timestamptz NOT NULL,
    -- For a re-filing: the later case.
    other_case  uuid,
    CONSTRAINT run_once_breaches_once UNIQUE NULLS NOT DISTINCT (case_id, row, sequence, other_case)
);
COMMENT ON COLUMN run_once_breaches.row IS 'trip, material_request, held_paper (a supervisor''s waiver) or refiling.';
COMMENT ON COLUMN run_once_breaches.sequence IS 'The event of the case that is the breach; for a re-filing, of the later case.';
