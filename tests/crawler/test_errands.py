"""What a node does beside visiting."""

from __future__ import annotations

import asyncio
import gc
from unittest.mock import Mock

import pytest

from crawler.errands import Errands
from linkindex.errors import Unavailable


def test_a_wait_ends_quietly_when_the_store_goes_away(caplog: pytest.LogCaptureFixture) -> None:
    frontier = Mock()
    frontier.wait.side_effect = Unavailable("frontier redis://h: gone")

    async def wait() -> None:
        await Errands(frontier, Mock(), Mock(), Mock(), Mock(), Mock()).wait(60.0, asyncio.Event())
        gc.collect()

    asyncio.run(wait())
    assert caplog.records == []
