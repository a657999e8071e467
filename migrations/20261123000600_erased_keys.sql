-- Each append looks whether a key it has sealed under is erased. Hardly any is: without an index of those alone, the
-- planner may read all keys to find that out.
CREATE INDEX data_keys_erased ON keys.data_keys (subject) WHERE wrapped IS NULL;
