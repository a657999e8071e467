-- Several runners may share a read model, each with a part of the cases and a checkpoint of its own.
ALTER TABLE checkpoints ADD COLUMN shard integer NOT NULL DEFAULT 0;
ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_pkey;
ALTER TABLE checkpoints ADD CONSTRAINT checkpoints_pkey PRIMARY KEY (projection, shard);
