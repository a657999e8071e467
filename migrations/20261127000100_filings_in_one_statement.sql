-- A filing may have waited for the closing of the same matter, and so not know of it: it is to look again, and to name the
-- case it follows. The statement that files cannot see that by itself: it sees the rows of when it began. What is read
-- after it, before its end, does.
ALTER TABLE run_once_matters ADD COLUMN unlinked boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN run_once_matters.unlinked IS
    'Names no earlier case, and has to if a unit has closed one: run_once_refiling_is_linked.';

CREATE FUNCTION run_once_refuse_unlinked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Row by row and by the index, whatever the size of the table was when it was planned.
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

CREATE TRIGGER run_once_refiling_is_linked AFTER INSERT ON run_once_matters
    REFERENCING NEW TABLE AS filed FOR EACH STATEMENT EXECUTE FUNCTION run_once_refuse_unlinked();
