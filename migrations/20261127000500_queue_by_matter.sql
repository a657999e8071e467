-- Open cases of a category in a division, the newest first: the candidates when a possible duplicate is looked for.
CREATE INDEX queue_by_matter ON queue_entries (division, category, kind, submitted_at DESC, case_id DESC) WHERE open;
