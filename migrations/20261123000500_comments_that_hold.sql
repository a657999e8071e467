-- Comments that say what the columns hold.
COMMENT ON COLUMN events.metadata IS 'Why: correlation_id, causation_id.';
COMMENT ON COLUMN requests.actor IS 'Whose keys these are: staff:<id>, visitor:<digest of the cookie or token>, case:<digest of the number> or resident:<case> for who shows its secret, or api:anonymous.';
COMMENT ON TABLE guesses IS 'Passwords tried, counted before they are known to be wrong; the right one is taken out again. Swept after a day.';
COMMENT ON COLUMN guesses.what IS 'Keyed digest of the sign-in name tried; never the name itself.';
