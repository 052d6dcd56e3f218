-- The first schema. Ids are TEXT made by us, times BIGINT milliseconds, JSON is TEXT.
-- Each table names its shard key in the comment before it.

-- shard: none (one row per connection)
CREATE TABLE connections (
    name TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('testing', 'active')),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    token_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- shard: none. Field mappings, every version kept.
CREATE TABLE mappings (
    connection TEXT NOT NULL,
    version BIGINT NOT NULL,
    definition TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (connection, version)
);

-- shard: none. How far each reader of a log has come; committed with what it decided.
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    position TEXT NOT NULL,
    fence BIGINT NOT NULL DEFAULT 0
);

-- shard: none. Up to when a connection's arrivals are known complete, and the holes.
CREATE TABLE coverage (
    connection TEXT PRIMARY KEY,
    complete_until BIGINT NOT NULL,
    last_event_at BIGINT NOT NULL,
    gaps TEXT NOT NULL
);

-- shard: contact_id. One compact row per event, which is also what refuses duplicates.
CREATE TABLE events (
    connection TEXT NOT NULL,
    uuid TEXT NOT NULL,
    name TEXT NOT NULL,
    contact_id TEXT,
    at BIGINT NOT NULL,
    arrived_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    place TEXT NOT NULL,
    PRIMARY KEY (connection, uuid)
);
CREATE INDEX events_by_contact ON events (contact_id, at);
CREATE INDEX events_by_arrival ON events (arrived_at);

-- shard: hash of value. Events whose contact is not known yet, found again by key.
CREATE TABLE unmatched (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    uuid TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, value, uuid)
);

-- shard: hash of name. Bodies that could not be read, and rows set aside.
CREATE TABLE set_aside (
    id TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    arrived_at BIGINT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    place TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX set_aside_by_arrival ON set_aside (arrived_at);

-- shard: none. The newest refused deliveries, with their beginning.
CREATE TABLE refusals (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    route TEXT NOT NULL,
    status BIGINT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    remote TEXT NOT NULL,
    excerpt TEXT NOT NULL
);
CREATE INDEX refusals_by_time ON refusals (at);

-- shard: none. Counts per minute for charts.
CREATE TABLE counts (
    name TEXT NOT NULL,
    minute BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (name, minute)
);

-- shard: none. Event names seen, for completion, lint and "not seen yet".
CREATE TABLE event_names (
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (connection, name)
);

-- shard: contact_id
CREATE TABLE contacts (
    id TEXT PRIMARY KEY,
    identified BIGINT NOT NULL,
    address TEXT,
    address_from_event BIGINT NOT NULL,
    name TEXT,
    zone TEXT,
    attributes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX contacts_by_created ON contacts (created_at);
CREATE INDEX contacts_by_address ON contacts (address);

-- shard: hash of value. Every name of a contact; `connection` is empty for an address.
CREATE TABLE contact_keys (
    connection TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('distinct_id', 'person_id', 'email', 'external')),
    value TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (connection, kind, value)
);
CREATE INDEX contact_keys_by_contact ON contact_keys (contact_id, created_at);

-- shard: contact_id (loser). Readers resolve it; a job moves the rows.
CREATE TABLE redirects (
    loser TEXT PRIMARY KEY,
    survivor TEXT NOT NULL,
    at BIGINT NOT NULL,
    moved BIGINT NOT NULL
);
CREATE INDEX redirects_by_survivor ON redirects (survivor);

-- shard: contact_id (survivor). Every merge and every refused one, with what a split needs.
CREATE TABLE merges (
    id TEXT PRIMARY KEY,
    survivor TEXT NOT NULL,
    loser TEXT NOT NULL,
    at BIGINT NOT NULL,
    why TEXT NOT NULL,
    refused TEXT,
    event TEXT NOT NULL,
    before TEXT NOT NULL
);
CREATE INDEX merges_by_survivor ON merges (survivor, at);

-- shard: contact_id
CREATE TABLE consents (
    contact_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('granted', 'denied')),
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (contact_id, topic)
);

-- shard: address_hash. `topic` is empty for every message.
CREATE TABLE suppressions (
    address_hash TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('unsubscribed', 'hard_bounce', 'complaint', 'manual', 'erased')),
    address TEXT,
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (address_hash, topic, reason)
);
CREATE INDEX suppressions_by_time ON suppressions (at);

-- shard: none
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'test', 'active', 'paused', 'archived')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- shard: none. `fingerprint` is the file's content, so that an unchanged file changes nothing.
CREATE TABLE campaign_versions (
    campaign_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    definition TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('file', 'console', 'api')),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (campaign_id, version)
);

-- shard: none. When which version was in which state: what `not triggered` is answered from.
CREATE TABLE campaign_history (
    id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX campaign_history_by_campaign ON campaign_history (campaign_id, at);

-- shard: none. Template sources, every version kept; the newest is in force.
CREATE TABLE templates (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('file', 'console', 'api')),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (name, version)
);

-- shard: contact_id. `watching` waits for an absence or a date before it enters.
CREATE TABLE enrollments (
    id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    contact_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('watching', 'active', 'ended')),
    position TEXT NOT NULL,
    run TEXT NOT NULL,
    trigger_event TEXT NOT NULL,
    trigger_properties TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    due_at BIGINT,
    ended_at BIGINT,
    ending TEXT,
    converted_at BIGINT
);
CREATE INDEX enrollments_due ON enrollments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX enrollments_by_contact ON enrollments (contact_id, campaign_id, entered_at);
CREATE INDEX enrollments_by_campaign ON enrollments (campaign_id, status, position);

-- shard: contact_id. Times a trigger with a count was hit.
CREATE TABLE hits (
    campaign_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (campaign_id, contact_id, at, event)
);

-- shard: contact_id. Every decision about a contact, with its reason; append only. `seq`
-- orders those of one millisecond.
CREATE TABLE decisions (
    contact_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    campaign_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    enrollment_id TEXT NOT NULL,
    code TEXT NOT NULL,
    step TEXT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX decisions_by_contact ON decisions (contact_id, at);

-- shard: contact_id. One email to one contact.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    enrollment_id TEXT NOT NULL,
    step TEXT NOT NULL,
    template TEXT NOT NULL,
    topic TEXT NOT NULL,
    sender TEXT NOT NULL,
    address TEXT NOT NULL,
    subject TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'held', 'sending', 'sent', 'unknown', 'failed', 'skipped', 'bounced', 'complained')),
    reason TEXT NOT NULL,
    priority BIGINT NOT NULL,
    test BIGINT NOT NULL,
    token_hash TEXT NOT NULL,
    rfc_id TEXT NOT NULL,
    resend_of TEXT,
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    expires_at BIGINT,
    sending_at BIGINT,
    settled_at BIGINT,
    opened_at BIGINT,
    clicked_at BIGINT,
    machine_opens BIGINT NOT NULL,
    human_opens BIGINT NOT NULL,
    clicks BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL
);
CREATE UNIQUE INDEX messages_once ON messages (enrollment_id, step, id);
CREATE INDEX messages_due ON messages (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX messages_by_contact ON messages (contact_id, created_at);
CREATE INDEX messages_by_created ON messages (created_at);
CREATE INDEX messages_unknown ON messages (created_at) WHERE status = 'unknown';
CREATE UNIQUE INDEX messages_by_token ON messages (token_hash);

-- shard: contact_id. What a message said, kept for less long than the message itself.
CREATE TABLE message_bodies (
    message_id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL,
    html TEXT NOT NULL,
    plain TEXT NOT NULL,
    links TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- shard: contact_id. Opens, clicks, bounces and other reports, human and machine apart.
CREATE TABLE engagements (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    machine BIGINT NOT NULL,
    at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX engagements_by_message ON engagements (message_id, at);
CREATE INDEX engagements_by_contact ON engagements (contact_id, at);

-- shard: contact_id. Effects on the outside other than mail, each with a key that never changes.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    enrollment_id TEXT NOT NULL,
    step TEXT NOT NULL,
    payload TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'done', 'dead', 'held')),
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    settled_at BIGINT,
    attempts BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_created ON deliveries (created_at);
CREATE INDEX deliveries_by_contact ON deliveries (contact_id, created_at);

-- shard: contact_id of the subject. One try, at a message or a delivery.
CREATE TABLE attempts (
    subject_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (subject_id, n)
);
CREATE INDEX attempts_by_time ON attempts (at);

-- shard: none. Standing work that is not a message, a delivery or an enrollment.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    unique_key TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'dead')),
    due_at BIGINT,
    attempts BIGINT NOT NULL,
    problem TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;

-- shard: none. `subject` is '*', 'sender:NAME' or 'campaign:ID'.
CREATE TABLE pauses (
    subject TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL
);

-- shard: none. How much of its ceilings a sender has used, as `model::policy::rate_limit` keeps it.
CREATE TABLE budgets (
    sender TEXT PRIMARY KEY,
    state TEXT NOT NULL
);

-- shard: none. Secrets sealed with a key that is not in the database.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- shard: none
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT
);

-- shard: none
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- shard: none
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);

-- shard: none. Who did what; append only.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);

-- shard: none. Small facts about the installation itself.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
