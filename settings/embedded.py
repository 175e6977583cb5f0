"""The settings module that ``scrapy.cfg`` names: SQLite for the frontier and the index, no service to start.

Options come from ``LINKATLAS_*`` and ``linkatlas.toml``, as for the ``linkatlas`` command; ``-s LINKATLAS_DEPTH=2`` works too.
"""

from settings.base import *  # noqa: F403
from settings.options import resolve_here, scrapy_settings

globals().update(scrapy_settings(resolve_here({})))
