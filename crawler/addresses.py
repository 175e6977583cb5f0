"""Where a crawler may connect to: pure rules on addresses and ports, and the operator's exceptions (``--connect-to``).

An address is judged, never a name: what a name means is known only once it is resolved, and :mod:`crawler.connecting`
judges the very address it then connects to. Python's ``ipaddress.is_private`` and ``is_global`` are no such rule: they
let through NAT64, 6to4, carrier-grade NAT or multicast, each depending on the Python that runs.

Sources: IANA's IPv4 and IPv6 special-purpose address registries (RFC 6890 and what updates it), the IPv6 global unicast
allocations (only 2000::/3 is handed out), WHATWG Fetch, "bad port".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

import ada_url

from linkindex.errors import BadInput

DEFAULT_PORTS = frozenset({80, 443})

# https://fetch.spec.whatwg.org/#bad-port: ports whose servers can be hurt by a line of HTTP.
BAD_PORTS = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }
)  # fmt: skip

# Where clouds keep a machine's credentials. Some of these lie in ranges that --allow-private opens; they stay shut.
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))

_Network = IPv4Network | IPv6Network


def _networks(*lines: tuple[str, str]) -> tuple[tuple[_Network, str], ...]:
    return tuple((ip_network(network), kind) for network, kind in lines)


# Opened by --allow-private.
_PRIVATE = _networks(
    ("127.0.0.0/8", "a loopback address"),
    ("::1/128", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("100.64.0.0/10", "a shared (carrier-grade NAT) address"),
    ("fc00::/7", "a unique local address"),
    ("fec0::/10", "a site-local address"),
)

# Never opened.
_SPECIAL = _networks(
    ("0.0.0.0/8", "an unspecified address"),
    ("169.254.0.0/16", "a link-local address"),
    ("192.0.0.0/24", "an address of IETF protocols"),
    ("192.0.2.0/24", "a documentation address"),
    ("192.88.99.0/24", "a 6to4 relay address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/128", "an unspecified address"),
    ("::/96", "an IPv4-compatible address"),
    ("64:ff9b::/96", "a NAT64 address"),
    ("64:ff9b:1::/48", "a local NAT64 address"),
    ("fe80::/10", "a link-local address"),
    ("ff00::/8", "a multicast address"),
    ("2001::/32", "a Teredo address"),
    ("2001:2::/48", "a benchmarking address"),
    ("2001::/23", "an address of IETF protocols"),
    ("2001:db8::/32", "a documentation address"),
    ("3fff::/20", "a documentation address"),
    ("2002::/16", "a 6to4 address"),
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")


@lru_cache(maxsize=1 << 14)
def refusal(address: str, allow_private: bool = False) -> str:
    """Return why an address (as text, without brackets) must not be connected to; "" where it may be."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return f"{address} is not an address"
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id:
            return f"{address} is a link-local address"
        parsed = parsed.ipv4_mapped or parsed  # ::ffff:a.b.c.d reaches a.b.c.d
    kind = _kind(parsed, allow_private)
    return f"{address} is {kind}" if kind else ""


def _kind(address: IPv4Address | IPv6Address, allow_private: bool) -> str:
    if address in _METADATA:
        return "a metadata address of a cloud"
    for network, kind in _PRIVATE:
        if address in network:
            return "" if allow_private else kind
    for network, kind in _SPECIAL:
        if address in network:
            return kind
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return "not a global unicast address"
    return ""


def literal_refusal(host: str, allow_private: bool = False) -> str:
    """Return why a URL's host must not be connected to where it is an address; "" for names and allowed addresses.

    ``host`` is the host of a WHATWG-serialised URL, in which every spelling of an IPv4 address (decimal, octal, hex,
    short, full-width digits) has become four decimal numbers.
    """
    literal = host.strip("[]")
    if ":" not in literal and not literal.replace(".", "").isdigit():
        return ""
    return refusal(literal, allow_private)


def port_refusal(port: int, allowed: Collection[int] = DEFAULT_PORTS) -> str:
    """Return why a port must not be connected to, "" where it may be. Bad ports stay refused when they are allowed."""
    if port in BAD_PORTS:
        return f"port {port} belongs to another protocol"
    return "" if port in allowed else f"port {port} is not visited; allow it with --ports {port}"


class ConnectTo(NamedTuple):
    """One ``--connect-to HOST:PORT:ADDRESS:PORT2``, as curl's. "" and 0 mean any (left) and unchanged (right)."""

    host: str
    port: int
    address: str
    new_port: int

    def matches(self, host: str, port: int) -> bool:
        return self.host in ("", host.lower()) and self.port in (0, port)


_CONNECT_TO = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([0-9]*):(\[[^\[\]]*\]|[^:\[\]]*):([0-9]*)")


def parse_connect_to(text: str) -> ConnectTo:
    """Read one ``--connect-to``; IPv6 addresses stand in brackets. Raises :class:`BadInput` where it is misspelt."""
    found = _CONNECT_TO.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"--connect-to {text!r}: give HOST:PORT:ADDRESS:PORT2, an IPv6 address in brackets")
    host, port, address, new_port = found.groups()
    rule = ConnectTo(_host(host, text), _port(port, text), _host(address, text), _port(new_port, text))
    if not rule.address and not rule.new_port:
        raise BadInput(f"--connect-to {text!r}: names neither an address nor a port to connect to")
    return rule


def destination(rules: Sequence[ConnectTo], host: str, port: int) -> ConnectTo | None:
    """Return the first rule that sends connections to ``host`` (without brackets) and ``port`` elsewhere, if any."""
    for rule in rules:
        if rule.matches(host, port):
            return rule
    return None


def _host(text: str, option: str) -> str:
    if not text:
        return ""
    try:
        return str(ada_url.URL(f"http://{text}/").hostname).strip("[]")
    except ValueError:
        raise BadInput(f"--connect-to {option!r}: {text!r} is neither a host name nor an address") from None


def _port(text: str, option: str) -> int:
    if not text:
        return 0
    port = int(text) if len(text) <= 5 else 0
    if not 1 <= port <= 65535:
        raise BadInput(f"--connect-to {option!r}: {text} is not a port; ports are 1 to 65535")
    return port
