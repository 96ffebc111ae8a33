-- The index: the accepted events of the log, and how far it was read. Disposable: made again from the log at any time.
CREATE SCHEMA IF NOT EXISTS {schema};

CREATE TABLE IF NOT EXISTS {schema}.event (
    key            uuid        NOT NULL,
    stream         uuid        NOT NULL,
    version        integer     NOT NULL,
    topic          "char"      NOT NULL,  -- d, f
    partition      smallint    NOT NULL,
    log_offset     bigint      NOT NULL,
    place          integer     NOT NULL,  -- in the commit, from 0
    type           text,                  -- null: no text, or one that PostgreSQL cannot hold
    schema         integer,
    occurred_at    timestamptz,           -- null: unreadable
    said_at        timestamptz,           -- what was said, where occurred_at had to be moved
    recorded_at    timestamptz,
    log_time       timestamptz NOT NULL,  -- the append time, as a running maximum of the partition: when we knew
    commit_id      uuid        NOT NULL,
    attempt        integer,
    request        text,
    actor          text,
    correlation_id text,
    causation_id   text,
    data           text        NOT NULL,  -- JSON as stored; personal fields are still sealed
    PRIMARY KEY (key, stream, version, topic)  -- with the topic: a record in one topic never decides about one in the other
);
-- Projections follow positions. Facts arrive in order of position, so a block range index finds them and costs an import nothing.
CREATE INDEX IF NOT EXISTS event_fact_position ON {schema}.event USING brin (partition, log_offset)
    WITH (pages_per_range = 16, autosummarize = on) WHERE topic = 'f';
CREATE INDEX IF NOT EXISTS event_decision_position ON {schema}.event (partition, log_offset, place) WHERE topic = 'd';
CREATE INDEX IF NOT EXISTS event_decision_commit ON {schema}.event (commit_id, key) WHERE topic = 'd';

CREATE TABLE IF NOT EXISTS {schema}.refused (
    topic      "char"      NOT NULL,
    partition  smallint    NOT NULL,
    log_offset bigint      NOT NULL,
    commit_id  uuid,                 -- null: bytes that are no envelope
    attempt    integer,
    reason     text        NOT NULL,
    log_time   timestamptz NOT NULL,
    PRIMARY KEY (topic, partition, log_offset)
);
CREATE INDEX IF NOT EXISTS refused_commit ON {schema}.refused (commit_id) WHERE commit_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS {schema}.checkpoint (
    topic       "char"      NOT NULL,
    partition   smallint    NOT NULL,
    next_offset bigint      NOT NULL DEFAULT 0,
    digest      bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),  -- over every record before next_offset
    log_time    timestamptz NOT NULL DEFAULT 'epoch',
    read_at     timestamptz NOT NULL DEFAULT 'epoch',  -- everything appended before this instant has been read
    stopped     text,                                  -- why this partition waits (a format that this software is too old for)
    PRIMARY KEY (topic, partition)
);

CREATE TABLE IF NOT EXISTS {schema}.encryption_key (
    id      uuid PRIMARY KEY,
    owner   uuid NOT NULL,
    wrapped bytea              -- null: erased
);
CREATE INDEX IF NOT EXISTS encryption_key_owner ON {schema}.encryption_key (owner);
CREATE TABLE IF NOT EXISTS {schema}.erased_owner (owner uuid PRIMARY KEY);

CREATE TABLE IF NOT EXISTS {schema}.snapshot (
    key     uuid    NOT NULL,
    stream  uuid    NOT NULL,
    version integer NOT NULL,
    topic   text    NOT NULL,
    state   bytea   NOT NULL,
    PRIMARY KEY (key, stream, version)
);
