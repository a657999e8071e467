-- Every event carries the hash of its stored form and of the event before it (event-log/src/chain.rs). The predecessor's
-- hash is in the predecessor's row: a column for it would say it twice.
ALTER TABLE events DROP COLUMN prev_hash;
COMMENT ON COLUMN events.hash IS 'Chain of the aggregate: SHA-256 over the hash before it and the stored form; NULL from a stock writer.';
