"""Every error that linkatlas raises on purpose, ordered by what a caller can do about it.

::

    LinkatlasError
    ├── BadInput          mend what was given: a URL, a file, an option         exit 2
    │   ├── Busy          another crawl holds this database; wait, or name another
    │   └── TimedOut      a question took longer than it may: ask for less, or give it more time
    ├── Unavailable       a store or a server is away; try again later          exit 69
    └── Incompatible      stored state is newer than, or strange to, this program  exit 2

What a web page or a server does wrong is an outcome (:class:`linkindex.model.Outcome`), never an error.
"""


class LinkatlasError(Exception):
    """Base of the tree. ``str(error)`` is one line: what, where, what to do."""

    exit_code = 1


class BadInput(LinkatlasError):
    """Something the caller gave cannot be used; the text names it and the remedy."""

    exit_code = 2


class Busy(BadInput):
    """Another process holds the database that was asked for."""


class TimedOut(BadInput):
    """A question took longer than it was allowed to; the text says how to ask for less, or for more time."""


class Unavailable(LinkatlasError):
    """A store or server that is needed does not answer; nothing was lost, try again."""

    exit_code = 69


class Incompatible(LinkatlasError):
    """Stored state has a shape or a version that this program must not touch."""

    exit_code = 2
