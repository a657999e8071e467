-- When a case came to its first end: the denominator of the reopened. Filled by the rebuild of the new version.
ALTER TABLE resolution_cases ADD COLUMN first_ended_at timestamptz;
COMMENT ON COLUMN resolution_cases.first_ended_at IS 'First closing, or first reopening of a result; never emptied.';
COMMENT ON COLUMN resolution_cases.rated_at IS 'Rating of the result of asked_at; emptied by the next result.';
