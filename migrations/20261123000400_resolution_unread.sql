-- No figure reads these: the ledger counts breaches, the timeline shows hand-overs.
ALTER TABLE resolution_cases DROP COLUMN waivers, DROP COLUMN hand_overs;
