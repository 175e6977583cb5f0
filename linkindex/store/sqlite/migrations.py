"""How an index of an earlier format becomes one of today's: named steps in order, each in a transaction of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from linkindex.store.sqlite.rebuilding import rebuild
from linkindex.store.sqlite.recounting import COUNTED, recount
from linkindex.store.sqlite.repacking import repack
from linkindex.store.sqlite.schema import APPLICATION_ID, INDEXES, SCHEMA, VERSION


class Migration(NamedTuple):
    """A step to format ``version`` from the one before it: by statements, or by a function."""

    version: int
    name: str
    statements: tuple[str, ...] = ()
    function: Callable[[sqlite3.Connection], None] | None = None


def statements_of(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: as a whole, sqlite3 runs it in transactions of its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _to_bundles(db: sqlite3.Connection) -> None:
    tables = ("domain", "host", "anchor", "url", "page", "link", "about")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall():
        db.execute(f"DROP INDEX {name}")
    for name in tables:
        db.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in statements_of(SCHEMA):
        db.execute(statement)
    rebuild(db)
    for name in reversed(tables):
        db.execute(f"DROP TABLE old_{name}")


def _count_by_bundles(db: sqlite3.Connection) -> None:
    held = {row[1] for row in db.execute("PRAGMA table_info(bundle)")}
    if "heads" not in held:  # what comes from format 3 has today's tables
        for statement in _COLUMNS:
            db.execute(statement)
    recount(db)


def _pack_words(db: sqlite3.Connection) -> None:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'dictionary'").fetchone():
        return  # what comes from format 3 has today's tables
    db.execute("DROP VIEW IF EXISTS backlinks")  # which would go on with the old table
    for name in ("fact", "around"):  # rows that shrink where they are would leave their room unused
        db.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in statements_of(SCHEMA):
        if statement.split()[2] in ("fact", "around", "dictionary", "backlinks"):
            db.execute(statement)
    repack(db)
    for name in ("fact", "around"):
        db.execute(f"DROP TABLE old_{name}")


def _with_default(column: str) -> tuple[str, ...]:
    """Return what gives a text column of page a default: SQLite cannot alter one."""
    return (
        f"ALTER TABLE page RENAME COLUMN {column} TO earlier",
        f"ALTER TABLE page ADD COLUMN {column} TEXT NOT NULL DEFAULT ''",
        f"UPDATE page SET {column} = earlier",  # noqa: S608
        "ALTER TABLE page DROP COLUMN earlier",
    )


_COLUMNS = (
    "ALTER TABLE bundle ADD COLUMN heads INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE bundle ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE bundle ADD COLUMN first_seen INTEGER",
    INDEXES["page_by_time"],
)

MIGRATIONS = (
    Migration(
        2,
        "facts of pages, positions and templates of links",
        (
            "UPDATE page SET robots = replace(robots, ' no', '; no')",  # parted by spaces before, which some contain
            *(statement for name in ("title", "language", "canonical", "robots") for statement in _with_default(name)),
            *(
                f"ALTER TABLE page ADD COLUMN {name} TEXT NOT NULL DEFAULT ''"
                for name in ("description", "author", "type", "platform", "charset")
            ),
            "ALTER TABLE page ADD COLUMN published INTEGER",
            "ALTER TABLE page ADD COLUMN modified INTEGER",
            *(
                f"ALTER TABLE page ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
                for name in ("words", "text_digest", "near_digest")
            ),
            "ALTER TABLE page ADD COLUMN terms BLOB NOT NULL DEFAULT x''",
            "ALTER TABLE link ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE link ADD COLUMN template_pages INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE link ADD COLUMN site_placement TEXT",
            "ALTER TABLE link ADD COLUMN site_confidence REAL",
            "CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        ),
    ),
    Migration(3, "depth of pages", ("ALTER TABLE page ADD COLUMN depth INTEGER NOT NULL DEFAULT 0",)),
    Migration(4, "bundles, leads, ranks, runs", function=_to_bundles),
    Migration(COUNTED, "pages, doubts and times counted by bundles", function=_count_by_bundles),
    Migration(6, "words packed with dictionaries, descriptions among them", function=_pack_words),
)


def create(db: sqlite3.Connection) -> None:
    """Make the tables of an empty file; of two that begin at once, one waits and finds them made."""
    db.execute("BEGIN IMMEDIATE")
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in statements_of(SCHEMA):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        _record(db, VERSION, "made")
    db.execute("COMMIT")


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an index of format ``version`` up to :data:`~linkindex.store.sqlite.schema.VERSION`.

    Whoever is cut off in between goes on from the last step that was whole; of two that begin at once, one waits.
    """
    for step in MIGRATIONS:
        if version < step.version <= VERSION:
            db.execute("BEGIN IMMEDIATE")
            try:
                if db.execute("PRAGMA user_version").fetchone()[0] < step.version:
                    for statement in step.statements:
                        db.execute(statement)
                    if step.function is not None:
                        step.function(db)
                        _record(db, step.version, step.name)
                    db.execute(f"PRAGMA user_version = {step.version}")
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def _record(db: sqlite3.Connection, version: int, name: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    db.execute("INSERT OR REPLACE INTO migration (version, name, at) VALUES (?, ?, ?)", (version, name, now))
