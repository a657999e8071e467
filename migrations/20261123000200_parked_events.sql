-- Events that a read model could not fold, and what came after them of the same aggregate. A rebuild tries them again.
CREATE TABLE parked_events (
    projection   text        NOT NULL,
    aggregate_id text        NOT NULL,
    sequence     bigint      NOT NULL,
    error        text        NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, aggregate_id, sequence)
);
