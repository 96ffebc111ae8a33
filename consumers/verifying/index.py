"""The log read again into a scratch index by the same indexer, and compared with the one that there is."""

from __future__ import annotations

from consumers.indexing.indexer import Indexer
from consumers.verifying.live import Live
from consumers.verifying.report import NAMED, PartitionCheck, Report, Told
from infra.crm import Crm
from infra.log.contract import LogError, LogUnreachable, Topic

SILENT_POLLS = 20
"""So many empty polls in a row, and the log is shorter than the index says."""
KEYS_SECONDS = 10.0


def index_again(crm: Crm, topic: Topic, schema: str, live: Live, told: Told, report: Report) -> None:
    """The partitions of one topic, from 0 up to where the live index stands: one by one, so that a hole in one hides no other."""
    until = {p: live.index[f"{topic.letter}{p}"][0] for p in range(crm.log.partitions(topic))}
    ends = crm.log.ends(topic)
    total, done = sum(until.values()), 0
    for p, end in until.items():
        if ends[p] < end:
            report.findings.append(f"The log ends at {topic.letter}{p}:{ends[p]}, but the index has read up to {end}: records are missing.")
        left, silent = min(end, ends[p]), 0
        with Indexer(crm.dsn, crm.log, topic, partitions=[p], schema=schema, lease=False, until={p: left}) as indexer:
            while left > 0 and silent < SILENT_POLLS:
                try:
                    read = indexer.step(1.0)
                except LogUnreachable:
                    raise
                except LogError as error:
                    report.findings.append(str(error))
                    break
                left, done, silent = left - read, done + read, 0 if read else silent + 1
                told(f"reading {topic.value}", done, total)
            else:
                if left > 0:
                    report.findings.append(
                        f"The log gives nothing at {topic.letter}{p}:{min(end, ends[p]) - left}, which the index has read."
                    )


def compare_partitions(crm: Crm, schema: str, live: Live, report: Report) -> None:
    with crm.pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT topic || partition, next_offset, digest FROM "{schema}".checkpoint WHERE topic IN ('d', 'f') ORDER BY 1"""
        )
        rows = cursor.fetchall()
    for name, offset, digest in rows:
        ok = (offset, bytes(digest)) == live.index[name]
        report.partitions.append(PartitionCheck(name, offset, bytes(digest).hex(), ok))
        if not ok:
            report.findings.append(
                f"Partition {name} of the log is not what the index has read: up to {offset} its digest is {bytes(digest).hex()[:16]}…,"
                f" the index noted {live.index[name][1].hex()[:16]}… at {live.index[name][0]}."
            )


def compare_rows(crm: Crm, schema: str, live: Live, report: Report) -> None:
    """Rows of the index never change, so they can be compared after the snapshot."""
    with crm.pool.transaction() as cursor:
        cursor.execute("CREATE TEMP TABLE verify_until (name text PRIMARY KEY, next_offset bigint) ON COMMIT DROP")
        cursor.executemany("INSERT INTO verify_until VALUES (%s, %s)", [(name, offset) for name, (offset, _) in live.index.items()])
        for table, key in (("event", ("key", "stream", "version", "topic")), ("refused", ("topic", "partition", "log_offset"))):
            cursor.execute(
                f"""SELECT l.topic IS NULL, s.topic IS NULL, coalesce(l.topic, s.topic), coalesce(l.partition, s.partition),
                           coalesce(l.log_offset, s.log_offset)
                    FROM (SELECT e.* FROM index.{table} e JOIN verify_until u ON u.name = e.topic::text || e.partition::text
                          WHERE e.log_offset < u.next_offset) l
                    FULL JOIN "{schema}".{table} s ON {" AND ".join(f"s.{name} = l.{name}" for name in key)}
                    WHERE l IS DISTINCT FROM s LIMIT {NAMED}"""
            )
            for missing, added, letter, partition, offset in cursor.fetchall():
                what = "is missing in" if missing else "is not in the log but in" if added else "is not the same in"
                report.findings.append(f"What stands at {letter}{partition}:{offset} {what} index.{table}.")


def compare_keys(crm: Crm, schema: str, report: Report, told: Told) -> None:
    """`crm.keys` is compacted, so its bytes change; what it says must not. Who is erased meanwhile loses the keys on one side first."""
    until = crm.log.ends(Topic.KEYS)
    silent = 0
    with Indexer(crm.dsn, crm.log, Topic.KEYS, schema=schema, lease=False, until=until) as indexer:
        while silent < 2:
            told("reading keys", 0, 1)
            silent = 0 if indexer.step(0.3) else silent + 1
    crm.progress.wait_until({(Topic.KEYS, p): end for p, end in until.items()}, KEYS_SECONDS)
    with crm.pool.transaction() as cursor:
        cursor.execute(
            f"""SELECT coalesce(l.id, s.id), l.id IS NULL, s.id IS NULL FROM index.encryption_key l
                FULL JOIN "{schema}".encryption_key s ON s.id = l.id
                LEFT JOIN index.erased_owner e ON e.owner = l.owner
                WHERE (s.id IS NULL AND NOT EXISTS (SELECT FROM index.checkpoint c WHERE c.topic = 'k' AND c.next_offset > (
                           SELECT u.next_offset FROM "{schema}".checkpoint u WHERE u.topic = 'k' AND u.partition = c.partition)))
                   OR l.id IS NULL OR s.owner <> l.owner
                   OR (s.id = l.id AND e.owner IS NULL AND s.wrapped IS DISTINCT FROM l.wrapped)
                ORDER BY 1 LIMIT {NAMED}"""
        )
        for key_id, missing, added in cursor.fetchall():
            what = "is missing in" if missing else "is not in the log but in" if added else "is not the same in"
            report.findings.append(f"The encryption key {key_id} {what} index.encryption_key.")
