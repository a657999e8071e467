-- A matter that has had its final review is not taken again, a new fact is. A filing may have waited for the decision of the
-- final review as it may have waited for the closing, so it is looked at once more at the end of its statement.
ALTER TABLE run_once_matters
    ADD COLUMN concluded boolean NOT NULL DEFAULT false,
    ADD COLUMN repeats boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN run_once_matters.concluded IS 'Its final review has decided it.';
COMMENT ON COLUMN run_once_matters.repeats IS
    'Names nothing new, and has to if the matter has had its final review: run_once_finally_reviewed.';
CREATE INDEX run_once_matters_concluded ON run_once_matters (person_id, matter) WHERE concluded;

ALTER FUNCTION run_once_refuse_unlinked() RENAME TO run_once_look_again;
CREATE OR REPLACE FUNCTION run_once_look_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Row by row and by the index, whatever the size of the table was when it was planned.
    IF EXISTS (SELECT FROM filed
               WHERE filed.open AND filed.repeats
                 AND (SELECT true FROM run_once_matters earlier
                      WHERE earlier.person_id = filed.person_id AND earlier.matter = filed.matter AND earlier.concluded
                      LIMIT 1)) THEN
        RAISE unique_violation USING CONSTRAINT = 'run_once_finally_reviewed';
    END IF;
    IF EXISTS (SELECT FROM filed
               WHERE filed.open AND filed.unlinked
                 AND (SELECT true FROM run_once_matters earlier
                      WHERE earlier.person_id = filed.person_id AND earlier.matter = filed.matter
                        AND NOT earlier.open AND earlier.closed_by IS NOT NULL
                      LIMIT 1)) THEN
        RAISE unique_violation USING CONSTRAINT = 'run_once_refiling_is_linked';
    END IF;
    RETURN NULL;
END $$;

COMMENT ON COLUMN run_once_breaches.row IS
    'trip, material_request, held_paper (a supervisor''s waiver), hand_over (an offer without a taker) or refiling.';

-- Cases that are handled with another one, the lead.
CREATE TABLE run_once_merges (
    case_id uuid PRIMARY KEY,
    lead    uuid NOT NULL,
    -- Still waits for the answer of its lead.
    open    boolean NOT NULL
);
CREATE INDEX run_once_merges_of_lead ON run_once_merges (lead, case_id);
CREATE INDEX run_once_merges_open ON run_once_merges (lead, case_id) WHERE open;

-- A case that others are merged into is not merged itself, and none is merged into one that is: so there are no chains and no
-- circles. Mergers wait for each other, as they are few and each has to see those before it.
CREATE FUNCTION run_once_refuse_chained(member uuid, lead_of_it uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('run_once_merges', 2));
    IF EXISTS (SELECT FROM run_once_merges WHERE open AND lead = member)
       OR EXISTS (SELECT FROM run_once_merges WHERE open AND case_id = lead_of_it) THEN
        RAISE check_violation USING CONSTRAINT = 'run_once_merges_are_flat';
    END IF;
END $$;
