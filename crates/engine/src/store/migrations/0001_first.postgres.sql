-- The inbox is a table only here: on SQLite installations it is a segment log of its own
-- files. Partitioned by day so that retention drops whole days.
CREATE SEQUENCE inbox_seq;
CREATE TABLE inbox (
    day BIGINT NOT NULL,
    seq BIGINT NOT NULL DEFAULT nextval('inbox_seq'),
    connection TEXT NOT NULL,
    shape TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    taken BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (day, seq)
) PARTITION BY RANGE (day);
