"""The promises of a link index, for every backend. A backend's own test module builds it, nothing else."""

from __future__ import annotations

from tests.linkindex.contract.changing import Changing
from tests.linkindex.contract.compacting import Compacting
from tests.linkindex.contract.history import History
from tests.linkindex.contract.hostile import Hostile
from tests.linkindex.contract.leading import Leading
from tests.linkindex.contract.links import Links
from tests.linkindex.contract.making import DAY, Places, found, link, redirect, selected, visit
from tests.linkindex.contract.ordering import Ordering
from tests.linkindex.contract.pages import Pages
from tests.linkindex.contract.selecting import Selecting
from tests.linkindex.contract.sites import Sites
from tests.linkindex.contract.upkeep import Upkeep

__all__ = ["DAY", "IndexContract", "Places", "found", "link", "redirect", "selected", "visit"]


class IndexContract(Links, Pages, Sites, History, Changing, Leading, Selecting, Ordering, Upkeep, Compacting, Hostile):
    """All of them. A subclass gives ``place``."""
