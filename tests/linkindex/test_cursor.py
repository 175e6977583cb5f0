"""Cursors come back as the row they were made of, to the same question only."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkindex.answers.cursor import cursor_of, read_cursor
from linkindex.answers.rows import Backlink
from linkindex.conditions import select
from linkindex.errors import BadInput
from linkindex.store.selection import Order, Per

QUESTION = select("example.com", follow=True)
KEY = (
    *("source", "source_domain", "target", "target_domain", "ordinal", "anchor", "placement", "follow"),
    *("first_seen", "last_seen", "lost_at", "source_rank", "domain_rank"),
)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(codec="utf-8"))


def row(**given: object) -> Backlink:
    fields = {"source": "https://a.test/", "source_domain": "a.test", "target": "https://example.com/"}
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    every = {"ordinal": 0, "follow": True, "first_seen": moment, "last_seen": moment, "rel": [], "hops": []}
    blank = {name: "" for name in Backlink.__struct_fields__ if name not in ("links", "pages")}
    return Backlink(**{**blank, **dict.fromkeys(("lost_at", "source_rank", "domain_rank")), **every, **fields, **given})  # type: ignore[arg-type]


@given(
    st.fixed_dictionaries(
        {
            "source": TEXTS,
            "target": TEXTS,
            "anchor": TEXTS,
            "ordinal": st.integers(0, 10_000),
            "follow": st.booleans(),
            "first_seen": MOMENTS,
            "last_seen": MOMENTS,
            "lost_at": st.none() | MOMENTS,
            "source_rank": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "domain_rank": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        }
    )
)
def test_a_cursor_comes_back_as_its_row(given: dict[str, object]) -> None:
    made = row(**given)
    text = cursor_of(made, QUESTION, "seen", "link")
    assert text.replace("-", "").replace("_", "").isalnum()
    back = read_cursor(text, QUESTION, "seen", "link")
    assert [getattr(back, name) for name in KEY] == [getattr(made, name) for name in KEY]


@pytest.mark.parametrize(
    ("target", "conditions", "order", "per"),
    [
        ("example.org", {"follow": True}, "seen", "link"),
        ("example.com", {}, "seen", "link"),
        ("example.com", {"follow": True, "since": "2026-01-01"}, "seen", "link"),
        ("example.com", {"follow": True}, "rank", "link"),
        ("example.com", {"follow": True}, "seen", "domain"),
    ],
)
def test_a_cursor_of_another_question_is_refused(
    target: str, conditions: dict[str, object], order: Order, per: Per
) -> None:
    text = cursor_of(row(), QUESTION, "seen", "link")
    with pytest.raises(BadInput, match="another question"):
        read_cursor(text, select(target, **conditions), order, per)  # type: ignore[arg-type]


def test_the_same_question_may_be_spelled_otherwise() -> None:
    text = cursor_of(row(), QUESTION, "seen", "link")
    assert read_cursor(text, select("EXAMPLE.com", follow=True), "seen", "link")


@given(st.text() | st.binary().map(lambda junk: base64.urlsafe_b64encode(junk).decode()))
def test_junk_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="cursor") as error:
        read_cursor(text, QUESTION, "seen", "link")
    assert "\n" not in str(error.value)


@given(st.data())
def test_a_cursor_that_was_changed_is_refused_or_read(data: st.DataObject) -> None:
    """Whoever changes one can go on elsewhere in the same answer, and nothing else."""
    text = cursor_of(row(), QUESTION, "seen", "link")
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("Aaz09-_=%")) + text[at + 1 :]
    with suppress(BadInput):
        assert isinstance(read_cursor(changed, QUESTION, "seen", "link").last_seen, datetime)


def test_a_cursor_of_another_version_or_size_is_refused() -> None:
    text = cursor_of(row(), QUESTION, "seen", "link")
    record = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    newer = base64.urlsafe_b64encode(msgspec.json.encode([2, *record[1:]])).decode()
    endless = cursor_of(row(anchor="x" * 100_000), QUESTION, "seen", "link")
    for wrong in (newer, endless):
        with pytest.raises(BadInput):
            read_cursor(wrong, QUESTION, "seen", "link")
