-- shard: none (one row per sending domain). Its secret keys are among the secrets.
CREATE TABLE domains (
    name TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('pending', 'verified', 'failing')),
    keys TEXT NOT NULL,
    signing TEXT NOT NULL,
    records TEXT NOT NULL,
    misses BIGINT NOT NULL,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    checked_at BIGINT,
    verified_at BIGINT,
    due_at BIGINT NOT NULL
);
