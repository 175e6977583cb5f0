"""The settings module that ``scrapy.cfg`` names: SQLite for the frontier and the index, no service to start.

Options come from ``LINKATLAS_*`` and ``linkatlas.toml``, as for the ``linkatlas`` command; ``-s LINKATLAS_DEPTH=2`` works too.
"""

from settings.base import *  # noqa: F403
from settings.ending import end_with
from settings.options import OptionError, resolve_here, scrapy_settings

try:
    globals().update(scrapy_settings(resolve_here({})))
except OptionError as error:
    end_with(error)
