-- Limits that others set, and sets that contacts are in.

-- shard: none. How much of somebody else's limits is used, as `model::policy::quota` keeps it.
CREATE TABLE quotas (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL
);

-- shard: none. Sets that contacts are in. `mirror` is the list at a destination that is kept
-- in step: its id, `create`, or nothing. `baseline_at` is when the members were first known.
CREATE TABLE sets (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('cohort', 'flag', 'funnel', 'list', 'query', 'segment')),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    mirror TEXT NOT NULL,
    members BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'current', 'held', 'unready', 'gone')),
    reason TEXT NOT NULL,
    baseline_at BIGINT,
    read_at BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, id)
);

-- shard: contact_id. Who is in which set, and since when we know it.
CREATE TABLE memberships (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    set_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, set_id, contact_id)
);
CREATE INDEX memberships_by_contact ON memberships (contact_id);

-- shard: contact_id. Whom the present reading of a set has seen, until it is compared.
CREATE TABLE sightings (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    set_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    PRIMARY KEY (connection, kind, set_id, contact_id)
);

-- shard: contact_id. Who entered and left what; append only.
CREATE TABLE membership_changes (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    set_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('entered', 'left'))
);
CREATE INDEX membership_changes_by_contact ON membership_changes (contact_id, at);
CREATE INDEX membership_changes_by_time ON membership_changes (at);
