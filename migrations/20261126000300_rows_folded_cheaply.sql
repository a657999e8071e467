-- What only we read back is kept as it was written: as json, PostgreSQL need not take it apart (jsonb) at every write. All
-- of it is rebuilt from the log for the new version of each read model.
ALTER TABLE case_files
    ALTER COLUMN state TYPE json, ALTER COLUMN contact TYPE json, ALTER COLUMN place_detail TYPE json,
    ALTER COLUMN words TYPE json, ALTER COLUMN attachments TYPE json, ALTER COLUMN contact_due TYPE json,
    ALTER COLUMN legal_due TYPE json;
ALTER TABLE case_timeline ALTER COLUMN event TYPE json;
ALTER TABLE queue_entries
    ALTER COLUMN state TYPE json, ALTER COLUMN place_detail TYPE json, ALTER COLUMN words TYPE json;
ALTER TABLE resolution_cases ALTER COLUMN state TYPE json;

-- Room on each page for the next version of its rows: an update that changes no indexed column then touches no index.
ALTER TABLE case_files SET (fillfactor = 70);
ALTER TABLE queue_entries SET (fillfactor = 70);
ALTER TABLE resolution_cases SET (fillfactor = 70);
ALTER TABLE checkpoints SET (fillfactor = 50);
