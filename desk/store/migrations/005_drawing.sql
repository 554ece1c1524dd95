-- What the report's drawing shows of an utterance; `undertone-desk rebuild` fills it for calls that came before.
ALTER TABLE utterances ADD COLUMN overlap_ms BIGINT;
ALTER TABLE utterances ADD COLUMN voice DOUBLE PRECISION;
ALTER TABLE utterances ADD COLUMN words DOUBLE PRECISION;
ALTER TABLE utterances ADD COLUMN mean DOUBLE PRECISION;
