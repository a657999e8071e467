-- No read model keeps a copy of what the log has. A case's events, and the case folded of them, are read from the log up to
-- the version of its row; the rows keep what lists filter, sort and count by. The folded case was two kilobytes of each row,
-- three times, and was written anew with every event.
DROP TABLE case_timeline;
ALTER TABLE case_files
    DROP COLUMN state, DROP COLUMN contact, DROP COLUMN place_detail, DROP COLUMN words, DROP COLUMN attachments,
    DROP COLUMN channel, DROP COLUMN previous_case, DROP COLUMN resulted_at, DROP COLUMN closed_at, DROP COLUMN verdict,
    DROP COLUMN score;
ALTER TABLE queue_entries
    DROP COLUMN state, DROP COLUMN place_detail, DROP COLUMN words,
    ADD COLUMN joinable boolean NOT NULL DEFAULT false,
    ADD COLUMN runs_until timestamptz;
ALTER TABLE resolution_cases DROP COLUMN state;
COMMENT ON COLUMN queue_entries.joinable IS
    'Somebody else''s case may be handled with it without asking staff, where its category is shared.';
COMMENT ON COLUMN queue_entries.runs_until IS
    'The last deadline that a new calendar may still move; null where no clock of ours runs.';

-- Every change of a queue's row is written to every index that has it: an index holds what is looked for in it, and no more.
DROP INDEX queue_by_contact_district, queue_by_cadre, queue_to_act_on;
CREATE INDEX queue_by_contact_district ON queue_entries (contact_district, due_at, case_id)
    WHERE open AND contact_district IS NOT NULL;
CREATE INDEX queue_by_cadre ON queue_entries (contact_cadre, due_at, case_id) WHERE open AND contact_cadre IS NOT NULL;
CREATE INDEX queue_to_act_on ON queue_entries (acts_at, case_id) WHERE acts_at < 'infinity';
-- Without it, no index would serve a unit's queue, which is what it holds, is offered or has a part in.
CREATE INDEX queue_by_joint_units ON queue_entries (due_at) WHERE open AND joint_units IS NOT NULL;
-- What residents may join is found without passing what they may not.
CREATE INDEX queue_joinable ON queue_entries (division, category, kind, submitted_at DESC, case_id DESC) WHERE joinable;
