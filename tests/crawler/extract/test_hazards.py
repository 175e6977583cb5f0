"""What would stall the parser is told beforehand; what people read is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.reference import page_bytes, page_paths
from crawler.extract import hazards
from crawler.extract.hazards import parser_hazard


@pytest.mark.parametrize(
    ("body", "hazard"),
    [
        (b"<div>" * 100_000, "too_deep"),
        (b"<div><span>" * 50_000 + b"</p>" * 10, "too_deep"),
        (b"<p>" + b"".join(b"<b a=%d>" % n for n in range(1000)) + b"</p>" + b"<p>x</p>" * 1000, "too_deep"),
        (b"<p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">", "too_many_attributes"),
        (b"<p " + b" ".join(b"a%d" % n for n in range(20_000)), "too_many_attributes"),
        (b"<b></i>" * 10_000, "too_deep"),  # an end tag closes but its own
        (b"<div></x>" * 10_000, "too_deep"),
        (b"<DIV>" * 10_000 + b"</div>" * 10_000, "too_deep"),
        (b"<svg>" + b"<path>" * 10_000 + b"</x>" * 10_000, "too_deep"),
        (b"<svg>" + b"<path d='M0'/>" * 10_000 + b"</svg>", ""),
        (b"<p>" + b"".join(b"<b a=%d>" % n for n in range(200)) + b"</p>" + b"<p>x" * 10_000, "too_deep"),
        (b"<ul>" * 3_900 + b"<li>" * 500_000, "too_deep"),
        (b"<select>" + b"<option>x</option>" * 30_000, "too_many_options"),
        (b"<select>" + b"<option>x</option>" * 5_000, ""),
        (b"<img src='data:" + b"A" * 500_000 + b"'>", ""),
        (b"<br>" * 50_000, ""),
        (b"<p>" * 50_000, ""),
        (b"<ul>" + b"<li><a href=x>y</a>" * 20_000, ""),
        (b"", ""),
        (b"<" * 100_000, ""),
    ],
)
def test_hazards(body: bytes, hazard: str) -> None:
    assert parser_hazard(body) == hazard


def test_no_real_page_is_taken_for_one(oracles: Path) -> None:
    paths = page_paths()
    assert len(paths) > 390, oracles
    assert [path for path in paths if parser_hazard(page_bytes(path))] == []


_TAGS = st.sampled_from(
    [b"<b>", b"</b>", b"<i x=1>", b"</i >", b"<div>", b"</div>", b"<li>", b"<image x/>", b"<strong/>", b"<", b"t"]
)


@given(st.lists(_TAGS, max_size=40).map(b"".join), st.integers(1, 12))
def test_the_look_at_formatting_alone_passes_nothing_that_the_whole_one_stops(body: bytes, max_open: int) -> None:
    with pytest.MonkeyPatch.context() as small:
        for name, bound in (("MAX_FORMATTING", 3), ("FEW", 1), ("MAX_COPIES", 20), ("MAX_STEPS", 60)):
            small.setattr(hazards, name, bound)
        tags = body.count(b"<")
        whole = hazards._most_open(body, hazards._TAG)  # noqa: SLF001
        assert hazards._too_deep(body, tags, max_open) == hazards._stalls(*whole, tags, max_open)  # noqa: SLF001
