-- The list of the newest cases reads as many as it shows, not all of them.
CREATE INDEX case_files_newest ON case_files (submitted_at DESC, case_id DESC);
