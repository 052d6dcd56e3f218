-- By which address a destination knew a member: who left here must be found there still.
ALTER TABLE mirrored_members ADD COLUMN address TEXT NOT NULL DEFAULT '';
