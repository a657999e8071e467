-- Clocks stand in the folded state of a case; what lists and the service's own clocks need of them stands beside it.
ALTER TABLE case_files DROP COLUMN contact_due, DROP COLUMN legal_due, ADD COLUMN joint_units text;
ALTER TABLE resolution_cases ADD COLUMN joint_units text;
ALTER TABLE queue_entries DROP COLUMN contact_due_at,
    ADD COLUMN joint_units text,
    -- When the service next has something to do on this case; 'infinity' where nothing is to come.
    ADD COLUMN acts_at timestamptz NOT NULL DEFAULT 'infinity',
    -- When the newest warning, breach or escalation was raised on a clock that runs.
    ADD COLUMN raised_at timestamptz,
    -- The highest tier it was escalated to: city, district, street.
    ADD COLUMN escalated_to text;
COMMENT ON COLUMN queue_entries.joint_units IS 'Units that do it together with the one that leads, with spaces between.';
CREATE INDEX queue_to_act_on ON queue_entries (acts_at, case_id);
CREATE INDEX queue_raised ON queue_entries (raised_at, case_id) WHERE raised_at IS NOT NULL;
