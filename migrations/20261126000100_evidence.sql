-- The sealed tree over the log (ops/docs/EVIDENCE.md): whoever changes, removes or adds a sealed event is found out by
-- `onetrip verify`. It can be made anew from the log, but its heads can't: they are signed, and handed out.
CREATE TABLE tree_state (
    only_one       boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_one),
    size           bigint  NOT NULL,
    transaction_id xid8    NOT NULL,
    position       bigint  NOT NULL
);
INSERT INTO tree_state (size, transaction_id, position) VALUES (0, '0', -9223372036854775808);

COMMENT ON TABLE tree_state IS 'How much is sealed. One row, whose lock makes one sealer.';
COMMENT ON COLUMN tree_state.size IS 'Leaves in the tree.';
COMMENT ON COLUMN tree_state.transaction_id IS 'With position: where the newest sealed event lies in the log.';

CREATE TABLE tree_tiles (
    level                smallint NOT NULL,
    tile                 bigint   NOT NULL,
    hashes               bytea    NOT NULL,
    first_transaction_id xid8,
    first_position       bigint,
    CONSTRAINT tree_tiles_pkey PRIMARY KEY (level, tile),
    CONSTRAINT leaves_have_a_place CHECK ((level = 0) = (first_transaction_id IS NOT NULL AND first_position IS NOT NULL))
);

-- Hashes don't compress.
ALTER TABLE tree_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE INDEX tree_tiles_first ON tree_tiles (first_transaction_id, first_position) WHERE level = 0;

COMMENT ON COLUMN tree_tiles.level IS '0: hashes of leaves; each level above: of the full tiles below.';
COMMENT ON COLUMN tree_tiles.hashes IS 'Up to 256 hashes of 32 bytes; the newest tile of a level may have fewer.';
COMMENT ON COLUMN tree_tiles.first_transaction_id IS 'With first_position: where the event of the first leaf lies in the log. An event''s index is 256 * tile + its rank from there on.';

CREATE TABLE tree_heads (
    size    bigint      NOT NULL CONSTRAINT tree_heads_pkey PRIMARY KEY CHECK (size > 0),
    note    text        NOT NULL,
    made_at timestamptz NOT NULL
);

COMMENT ON COLUMN tree_heads.note IS 'The signed head, as it is handed out.';

-- A head that has been handed out is never another one.
CREATE FUNCTION tree_heads_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'heads of the sealed tree are only ever added';
END $$;
CREATE TRIGGER tree_heads_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_heads
    FOR EACH STATEMENT EXECUTE FUNCTION tree_heads_stay();

CREATE TABLE witness_deliveries (
    witness        text        NOT NULL CONSTRAINT witness_deliveries_pkey PRIMARY KEY,
    delivered_size bigint      NOT NULL,
    delivered_at   timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE witness_deliveries IS 'Up to which head each witness has got them all.';
