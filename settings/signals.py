"""Scrapy signals of our own: what components tell each other that do not import each other."""

from __future__ import annotations

run_named = object()
"""The job has a run, ``run``: its name. Sent before the first visit, and when another begins."""

stopping = object()
"""The node ends: what cannot be done within seconds is left for another time."""

storing = object()
"""Visits can be stored: ``calls`` (:class:`linkindex.calls.Calls`) calls the index, ``waiting`` tells how many visits are on
their way there. Sent once, before the first visit."""

stored = object()
"""A batch of visits is durable, after so many ``seconds``."""
