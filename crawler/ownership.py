"""Whether a host is one's own, as its name says: a TXT record of ``_linkatlas.HOST`` that is the contact.

Asked of the name servers that the machine is set to. Whoever may write there owns the name, so robots.txt may be ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkindex import urls

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

PREFIX = "_linkatlas."
PATIENCE = 5.0  # s, for all name servers together


def record_of(host: str) -> str:
    """Return the name whose TXT record is asked for."""
    return PREFIX + urls.hostname_of(host)


async def doubt(host: str, contact: str) -> str:
    """Return why the name of ``host`` does not prove that whoever gives ``contact`` owns it, "" where it does."""
    # Imported here: few prove anything, and it takes 0.1 s.
    from dns.exception import DNSException, Timeout  # noqa: PLC0415
    from dns.resolver import NXDOMAIN, NoAnswer  # noqa: PLC0415

    try:
        found = await _resolver().resolve(record_of(host), "TXT", search=False, lifetime=PATIENCE)
    except (NXDOMAIN, NoAnswer):
        return "there is no such record"
    except Timeout:
        return f"no name server answered within {PATIENCE:g} s"
    except (DNSException, OSError, ValueError) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    texts = (b"".join(record.strings).decode("utf-8", "replace").strip() for record in found)
    return "" if contact and contact in texts else "it says something else"


def _resolver() -> Resolver:
    from dns.asyncresolver import Resolver  # noqa: PLC0415

    return Resolver()
