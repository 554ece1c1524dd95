-- The hold-out: which arm a case was drawn to, and whether it is held now.
ALTER TABLE cases ADD COLUMN arm TEXT;
ALTER TABLE cases ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
