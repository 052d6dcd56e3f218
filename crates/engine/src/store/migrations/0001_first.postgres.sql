-- The inbox is a table only here: on SQLite installations it is a segment log of its own
-- files. Partitioned by day so that retention drops whole days. `tx` is the transaction
-- that wrote the row: readers take only rows older than every running writer of the inbox.
CREATE SEQUENCE inbox_seq;
CREATE TABLE inbox (
    day BIGINT NOT NULL,
    seq BIGINT NOT NULL DEFAULT nextval('inbox_seq'),
    tx BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
    lane BIGINT NOT NULL,
    connection TEXT NOT NULL,
    shape TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (day, seq)
) PARTITION BY RANGE (day);
CREATE INDEX inbox_by_lane ON inbox (lane, tx, seq);
