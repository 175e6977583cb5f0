"""Where an answer was left, as a text that means nothing to its reader: base64url of a small record, checked when it
comes back. Pure."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from hashlib import blake2b
from typing import Annotated

import msgspec

from linkindex.answers.rows import Backlink
from linkindex.errors import BadInput
from linkindex.store.selection import Order, Per, Selection

VERSION = 1
_MOST = 16_384  # characters; the longest URLs and anchors take less

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Key(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What of a row says where it stands in any order, and which group it stands for."""

    source: str
    source_domain: str
    target: str
    target_domain: str
    ordinal: int
    anchor: str
    placement: str
    follow: bool
    first_seen: _Moment
    last_seen: _Moment
    lost_at: _Moment | None
    source_rank: float | None
    domain_rank: float | None


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    version: int
    question: str
    key: _Key


def cursor_of(row: Backlink, selection: Selection, order: Order, per: Per) -> str:
    """Return the cursor that continues this question behind ``row``."""
    key = _Key(**{name: getattr(row, name) for name in _Key.__struct_fields__})
    record = msgspec.json.encode(_Cursor(VERSION, _question(selection, order, per), key))
    return base64.urlsafe_b64encode(record).rstrip(b"=").decode()


def read_cursor(text: str, selection: Selection, order: Order, per: Per) -> Backlink:
    """Return the row that a cursor stands for, with what says where it stands; its other fields say nothing.

    Raises :class:`BadInput` for what is no cursor, or one of another question.
    """
    try:
        record = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(record if len(text) <= _MOST else b"", type=_Cursor)
    except (AttributeError, UnicodeEncodeError, binascii.Error, msgspec.MsgspecError, ValueError):
        raise BadInput("the cursor cannot be read; give it whole, as the answer before printed it") from None
    if found.version != VERSION or found.question != _question(selection, order, per):
        raise BadInput("the cursor is of another question; ask as before, or leave it out to begin anew")
    return _row(found.key)


def _question(selection: Selection, order: Order, per: Per) -> str:
    """Return 64 bits of what was asked, however the target was spelled."""
    target = msgspec.structs.replace(selection.target, text="")
    asked = msgspec.json.encode((msgspec.structs.replace(selection, target=target), order, per))
    return blake2b(asked, digest_size=8).hexdigest()


def _row(key: _Key) -> Backlink:
    return Backlink(
        **msgspec.structs.asdict(key),
        target_end=key.target,
        hops=[],
        kind="",
        rel=[],
        placement_confidence=0.0,
        template_pages=0,
        position=0,
        text_before="",
        text_after="",
        heading="",
        lost_reason=None,
        doubt=None,
        source_title="",
        source_language="",
        source_author="",
        source_published=None,
        source_platform="",
        source_words=0,
        source_external_links=0,
        source_internal_links=0,
        source_indexable=True,
        relevance=None,
        domain_relevance=None,
        source_status=None,
        target_status=None,
        end_status=None,
    )
