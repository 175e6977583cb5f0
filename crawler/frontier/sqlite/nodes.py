"""What nodes tell each other: that they live, what they claim, who is to leave, that there is work."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import msgspec

from crawler.frontier.records import Beat, Seen, read_beat
from crawler.frontier.sqlite import schema as sql
from crawler.frontier.sqlite.leases import Leases

_REMEMBERED = 24 * 3600 * 1000  # ms that a node is listed after its last sign of life
_LOOK = 0.05  # s between looks while waiting


class Nodes(Leases):
    """``claim``, ``unclaim``, ``beat``, ``drain``, ``leave``, ``nodes``, ``wait``."""

    def claim(self, name: str, node: str, ttl: float) -> float:
        with self._transaction() as now:
            row = self._db.execute("SELECT node, until FROM claim WHERE name = ?", (name,)).fetchone()
            if row and row[0] != node and row[1] > now:
                return float(row[1] - now) / 1000
            self._db.execute("INSERT OR REPLACE INTO claim VALUES (?, ?, ?)", (name, node, now + int(ttl * 1000)))
            return 0.0

    def unclaim(self, name: str, node: str, pause: float = 0.0) -> None:
        with self._transaction() as now:
            self._db.execute(
                "UPDATE claim SET node = '', until = ? WHERE name = ? AND node = ?",
                (now + int(pause * 1000), name, node),
            )

    def beat(self, beat: Beat) -> bool:
        with self._transaction() as now:
            self._db.execute(
                "INSERT OR REPLACE INTO node VALUES (?, ?, ?)", (beat.node, now, msgspec.json.encode(beat))
            )
            self._db.execute("DELETE FROM node WHERE seen < ?", (now - _REMEMBERED,))
            self._db.execute("DELETE FROM drain WHERE node NOT IN (SELECT name FROM node)")
            asked = self._db.execute(
                "SELECT 1 FROM drain WHERE node = ? AND started = ?", (beat.node, beat.started)
            ).fetchone()
            return asked is not None

    def drain(self, node: str) -> bool:
        found = next((seen.beat for seen in self.nodes() if seen.beat.node == node), None)
        if found is None:
            return False
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO drain VALUES (?, ?)", (node, found.started))
        return True

    def leave(self, node: str) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM node WHERE name = ?", (node,))
            self._db.execute("DELETE FROM drain WHERE node = ?", (node,))

    def nodes(self) -> list[Seen]:
        now = self._now()
        rows = self._read(
            "SELECT beat, seen, started FROM node LEFT JOIN drain ON drain.node = node.name "
            "WHERE seen > ? ORDER BY seen DESC, name",
            (now - _REMEMBERED,),
        )
        return [
            Seen(beat=known, ago=(now - seen) / 1000, draining=known.started == draining)
            for beat, seen, draining in rows
            if (known := read_beat(beat, msgspec.json.decode))
        ]

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with closing(sqlite3.connect(self._path, timeout=30)) as db:
            while (left := until - time.monotonic()) > 0:
                if db.execute(sql.ANY_READY, {"now": self._now()}).fetchone()[0]:
                    return
                time.sleep(min(left, _LOOK))
