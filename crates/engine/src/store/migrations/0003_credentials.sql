-- shard: none (one row per connection). What is known of a credential without opening it:
-- the tokens themselves are sealed in `secrets`.
CREATE TABLE credentials (
    connection TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('good', 'refused')),
    scopes TEXT NOT NULL,
    projects TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    tried_at BIGINT,
    problem TEXT NOT NULL,
    fence BIGINT NOT NULL
);
