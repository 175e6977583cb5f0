"""What fuzzing found stays found, and a little more of it each time the tests run. The long form: ``fuzz.py``."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.fuzz import SEEDS, TARGETS, Mutations, attempt, corpus

KEPT = [(path.parent.name, path.name) for path in sorted(SEEDS.glob("*/*"))]


@pytest.mark.parametrize(("target", "name"), KEPT)
def test_what_was_found_once_is_mended(target: str, name: str) -> None:
    assert attempt(target, (SEEDS / target / name).read_bytes()) == ""


@pytest.mark.parametrize("target", TARGETS)
def test_variations(target: str) -> None:
    for data in islice(Mutations(target, 1), 150):
        assert attempt(target, data) == "", data[:500]


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_anything(target: str, data: st.DataObject) -> None:
    known = corpus(target)
    pieces = data.draw(st.lists(st.one_of(st.binary(max_size=50), st.sampled_from(known)), max_size=5))
    assert attempt(target, b"".join(pieces)[:20_000]) == ""
