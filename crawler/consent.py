"""What a crawler owes the sites it visits: to say whom to write to, and to stay away from who said so."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from linkindex import urls
from linkindex.errors import BadInput
from settings.options import Options

UNNAMED_PAGES = 1000  # as many may be visited by somebody who says nothing of himself
MOST_OPTED_OUT = 10_000  # every node reads the list with the job, every two seconds
PROOF_PATH = "/.well-known/linkatlas.txt"


def check_contact(options: Options, *, joins: bool = False, given: str = "--contact ") -> None:
    """Raise :class:`BadInput` where so much is to be visited that sites must be told whom to write to; a node that
    ``joins`` a crawl cannot know how much that will be. ``given`` is how this command is given a contact."""
    if not options.contact:
        many = options.max_pages > UNNAMED_PAGES or not options.max_pages
        if joins or many:
            what = "a node" if joins else f"more than {UNNAMED_PAGES:,} pages"
            raise BadInput(
                f"{given.removeprefix('-s ').rstrip(' =')} is missing: for {what}, sites must be told whom to write to; "
                f"as in: {given}https://example.org/about-our-bot"
            )
        if options.own:
            raise BadInput(
                f"--own needs --contact: the line that proves it, in {PROOF_PATH} or a TXT record of the host, is the contact"
            )


def proves(body: bytes, contact: str) -> bool:
    """Return whether a host's :data:`PROOF_PATH` says that whoever gives this contact owns it: a line that is the contact."""
    return bool(contact) and contact in (line.strip() for line in body.decode("utf-8", "replace").splitlines())


def read_opt_out(path: str) -> frozenset[str]:
    """Return the names of a list of hosts and domains, one a line, ``#`` starts a comment. Raises :class:`BadInput`."""
    try:
        lines = Path(path).read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise BadInput(
            f"--opt-out {path}: {error.strerror}; give a text file with one host or domain a line"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"--opt-out {path}: not a text file in UTF-8; give one host or domain a line") from error
    found = set()
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        url = urls.canonicalise(f"http://{text.removeprefix('*.')}/")
        if url is None or any(char in text for char in "/@?: \0"):
            raise BadInput(f"--opt-out {path}, line {number}: {text!r} is no host or domain; write example.com")
        found.add(urls.host_of(url))
    if len(found) > MOST_OPTED_OUT:
        raise BadInput(f"--opt-out {path}: {len(found):,} names; at most {MOST_OPTED_OUT:,} may be given")
    return frozenset(found)


def is_opted_out(host: str, names: Collection[str]) -> bool:
    """Return whether one of ``names`` is ``host`` or a domain that it is in."""
    name = urls.hostname_of(host)
    while name and names:
        if name in names:
            return True
        name = name.partition(".")[2]
    return False
