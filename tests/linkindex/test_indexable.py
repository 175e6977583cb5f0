from __future__ import annotations

import pytest

from linkindex.indexable import indexable

NOW = 1_750_000_000_000  # 2025-06-15T15:06:40Z


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("nofollow", True),
        ("noindex", False),
        ("unavailable_after: wed, 21 oct 2020 07:28:00 gmt", False),
        ("unavailable_after: wed, 21 oct 2026 07:28:00 gmt", True),
        ("unavailable_after: 2025-06-15", False),
        ("unavailable_after: 2025-06-15t18:00:00+02:00", True),
        ("unavailable_after: 25 aug 2021 15:00:00 est", False),
        ("unavailable_after: some day", True),
        ("unavailable_after: 99999-01-01", True),
        ("unavailable_after:", True),
    ],
)
def test_each(directive: str, expected: bool) -> None:
    assert indexable(["max-snippet: 5", directive], NOW) is expected
