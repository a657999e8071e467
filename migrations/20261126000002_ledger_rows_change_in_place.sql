-- A case's row of the ledger changes many times in its life: with room on its page it is changed in place, without new
-- index entries.
ALTER TABLE run_once_cases SET (fillfactor = 80);
