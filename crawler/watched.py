"""A node that can be watched: joins how it is to what tells that to others, where that is asked for (``--metrics-port``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from scrapy.utils.misc import load_object

from crawler.node import Node
from crawler.sources import IndexSources
from crawler.vitals import Vitals
from linkindex.calls import Calls
from linkindex.errors import LinkatlasError
from settings.options import Options
from settings.signals import storing

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Listener(Protocol):
    """Answers to whoever asks how a node is. Scrapy's setting ``LISTENER`` names the class; it is made of (address, port,
    vitals)."""

    async def start(self) -> None:
        """Begin to listen. Raises BadInput where that cannot be."""

    async def close(self) -> None:
        """Listen no more."""


class Watched:
    """Listens from when the node begins until it has ended."""

    def __init__(self, crawler: Crawler, node: Node, options: Options) -> None:
        self._crawler = crawler
        self._node = node
        self._options = options
        self._vitals: Vitals | None = None
        self._listener: Listener | None = None
        crawler.signals.connect(self._storing, storing)

    def _storing(self, calls: Calls, waiting: Callable[[], int]) -> None:
        index = self._options.index
        file = index.removeprefix("sqlite:///") if index.startswith("sqlite:///") else ""
        self._vitals = vitals = Vitals(self._node, calls, waiting, IndexSources(index).links, file)
        kind = load_object(self._crawler.settings["LISTENER"])
        self._listener = kind(self._options.metrics_address, self._options.metrics_port, vitals)

    async def start(self) -> None:
        """Begin to listen; where that cannot be, the node ends with why."""
        assert self._listener is not None
        try:
            await self._listener.start()
        except LinkatlasError as error:
            self._node.fail(error)

    async def close(self) -> None:
        if self._listener is not None and self._vitals is not None:
            await self._listener.close()
            await self._vitals.close()
