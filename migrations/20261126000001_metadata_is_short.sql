COMMENT ON COLUMN events.metadata IS 'Why: correlation_id, and causation_id where it is another one.';
