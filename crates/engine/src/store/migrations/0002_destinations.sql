-- What destinations are told about contacts, and what erasing somebody came to.

-- shard: none. How each destination stands: who works on it, how far it has read, what it
-- was last told about itself.
CREATE TABLE mirrors (
    destination TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- shard: contact_id. What a destination was last told about a contact, by its fingerprint,
-- and whether it must be told something else.
CREATE TABLE mirrored_contacts (
    destination TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    address TEXT NOT NULL,
    by_id BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    names TEXT NOT NULL,
    stopped_at BIGINT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'importing', 'written', 'rejected')),
    reason TEXT NOT NULL,
    due_at BIGINT,
    attempts BIGINT NOT NULL,
    batch TEXT NOT NULL,
    written_at BIGINT,
    PRIMARY KEY (destination, contact_id)
);
CREATE INDEX mirrored_contacts_due ON mirrored_contacts (destination, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mirrored_contacts_by_contact ON mirrored_contacts (contact_id);
CREATE INDEX mirrored_contacts_by_address ON mirrored_contacts (address);
CREATE INDEX mirrored_contacts_by_status ON mirrored_contacts (destination, status, contact_id);
CREATE INDEX mirrored_contacts_by_batch ON mirrored_contacts (batch, contact_id) WHERE batch <> '';

-- shard: contact_id. Who stands in which list at a destination because of us.
CREATE TABLE mirrored_members (
    destination TEXT NOT NULL,
    list TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('adding', 'in', 'removing', 'rejected')),
    reason TEXT NOT NULL,
    due_at BIGINT,
    attempts BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (destination, list, contact_id)
);
CREATE INDEX mirrored_members_due ON mirrored_members (destination, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mirrored_members_by_contact ON mirrored_members (contact_id);

-- shard: contact_id of the erased. Nothing here names anybody once it is done.
CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX erasures_by_time ON erasures (at);
CREATE INDEX erasures_by_contact ON erasures (contact_id);

-- shard: erasure. `subject` says whom to erase at the place, until that is done.
CREATE TABLE erasure_receipts (
    erasure_id TEXT NOT NULL,
    place TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed', 'by_hand')),
    answer TEXT NOT NULL,
    subject TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    settled_at BIGINT,
    PRIMARY KEY (erasure_id, place)
);
CREATE INDEX erasure_receipts_due ON erasure_receipts (place, due_at) WHERE due_at IS NOT NULL;
