"""Why a fetch gave no answer: an outcome, named as it stands in visits and stats."""

from __future__ import annotations

from enum import StrEnum

from linkindex.model import Visit


class Reason(StrEnum):
    """The ends of a fetch without an answer."""

    GIVEN_UP = "given_up"  # by us: when its connection stood it was no longer to be made, or the node had to end
    REFUSED_SCHEME = "refused_scheme"  # not an http or https URL
    REFUSED_PORT = "refused_port"  # a port that is not visited
    REFUSED_ADDRESS = "refused_address"  # the name means no address that may be connected to
    DNS = "dns"  # the name does not resolve
    CONNECT = "connect"  # nobody there, or nobody who wants us
    CONNECT_TIMEOUT = "connect_timeout"  # name, connection and TLS took too long
    TLS = "tls"  # no TLS with this server, not even unverified
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"  # connected, then silence
    TIMEOUT = "timeout"  # the whole took too long, and nothing of the body came
    TOO_SLOW = "too_slow"  # the body comes slower than the least rate
    RESET = "reset"  # closed or reset before anything of the body came
    PROTOCOL = "protocol"  # what came is not HTTP
    HEADERS_TOO_LARGE = "headers_too_large"
    UNDECODABLE = "undecodable"  # a Content-Encoding that nothing could be made of


class NotFetched(Exception):  # an outcome
    """Politeness ended a visit before its fetch; ``visit`` says how."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit.url, visit.reason)
        self.visit = visit


class FetchFailed(Exception):  # an outcome
    """A fetch ended without an answer; ``detail`` is one line for people."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)
