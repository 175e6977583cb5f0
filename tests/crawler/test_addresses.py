"""Which addresses and ports may be connected to, in every spelling, and how ``--connect-to`` is read."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from crawler.addresses import (
    BAD_PORTS,
    ConnectTo,
    destination,
    literal_refusal,
    parse_connect_to,
    port_refusal,
    refusal,
)
from linkindex import urls
from linkindex.errors import BadInput

PUBLIC = [
    "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "198.17.0.1",
    "198.20.0.1", "223.255.255.255", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888",
    "2003::1", "::ffff:1.1.1.1",
]  # fmt: skip

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "::1", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "100.64.0.1", "100.127.255.255", "fc00::1", "fdff::1", "fec0::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:7f00:1",
]  # fmt: skip

NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "fd00:ec2::254", "192.0.0.192",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.9",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::127.0.0.1", "::808:808",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "4000::1",
    "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "not an address", "",
]  # fmt: skip

# What a browser would make of these is decided by ada_url; they all mean an address that is not public.
SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001",
    "127.0.0.1.", "0x7F.1", "00000177.1", "127.0x1", "127.000.000.001", "１２７.０.０.１", "１２７。０。０。１",
    "127。0。0。1", "127．0．0．1", "①②⑦.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%2e", "0", "0.0", "0x0", "00",
    "3232235777", "0xc0.0xa8.1.1", "0300.0250.01.01", "10.1", "0xa9fea9fe", "2852039166", "169.254.43518", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[::127.0.0.1]", "[fe80::1]",
    "[64:ff9b::127.0.0.1]", "[2002:7f00:0001::]", "[::]", "[fd00::1]", "[ff02::1]", "user@127.0.0.1",
    "127.0.0.1:80", "0x7f000001:80", "\t127.0.0.1", "12\n7.0.0.1", "127.0.0.0x",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert refusal(address) == ""
    assert refusal(address, allow_private=True) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_open_on_demand(address: str) -> None:
    assert refusal(address)
    assert refusal(address, allow_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_special_addresses_never_open(address: str) -> None:
    assert refusal(address)
    assert refusal(address, allow_private=True)


@pytest.mark.parametrize("host", SPELLINGS)
def test_every_spelling_of_an_address_is_judged(host: str) -> None:
    url = urls.canonicalise(f"http://{host}/")
    assert url is not None
    assert literal_refusal(urlsplit(url).hostname or "")


def in_a_url(address: str) -> str:
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


@pytest.mark.parametrize("address", [address for address in PRIVATE + NEVER if address and " " not in address])
def test_no_address_gets_through_as_the_host_of_a_url(address: str) -> None:
    for spelling in (address, address.upper()):
        url = urls.canonicalise(in_a_url(spelling))
        assert url is None if "%" in address else literal_refusal(urlsplit(url or "").hostname or "")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_get_through_as_the_host_of_a_url(address: str) -> None:
    url = urls.canonicalise(in_a_url(address))
    assert url and urlsplit(url).hostname
    assert literal_refusal(urlsplit(url).hostname or "") == ""


@pytest.mark.parametrize(
    "host",
    [
        "[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1", "::1", "[::1]]", "[::ffff:127.0.0.256]", "[127.0.0.1]",
        "127.0.0.256", "256.1", "1.2.3.4.5", "0x100000000", "4294967296", "08.0.0.1", "127..1",
    ],
)  # fmt: skip
def test_what_looks_like_an_address_and_is_none_is_no_host(host: str) -> None:
    assert urls.canonicalise(f"http://{host}/") is None


@pytest.mark.parametrize(
    "host", ["example.com", "localhost", "a.localhost", "127.0.0.1.example.com", "1.1.1.1", "[2606:4700::1]"]
)
def test_names_are_judged_by_what_they_resolve_to(host: str) -> None:
    assert literal_refusal(host) == ""


def test_ports() -> None:
    assert [port_refusal(port) for port in (80, 443)] == ["", ""]
    assert "--ports 8080" in port_refusal(8080)
    assert port_refusal(8080, {8080}) == ""
    assert port_refusal(80, {8080})
    assert all(port_refusal(port, BAD_PORTS) for port in BAD_PORTS)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("example.com:443:127.0.0.1:8443", ConnectTo("example.com", 443, "127.0.0.1", 8443)),
        (":80:127.0.0.1:8080", ConnectTo("", 80, "127.0.0.1", 8080)),
        ("::127.0.0.1:8080", ConnectTo("", 0, "127.0.0.1", 8080)),
        ("::[::1]:8080", ConnectTo("", 0, "::1", 8080)),
        ("[2606:4700::1]:443:[::1]:8443", ConnectTo("2606:4700::1", 443, "::1", 8443)),
        ("EXAMPLE.com:80:Staging.Local:81", ConnectTo("example.com", 80, "staging.local", 81)),
        ("bücher.example::127.0.0.1:", ConnectTo("xn--bcher-kva.example", 0, "127.0.0.1", 0)),
        ("example.com:80::8080", ConnectTo("example.com", 80, "", 8080)),
    ],
)
def test_connect_to_is_read_as_curl_reads_it(text: str, rule: ConnectTo) -> None:
    assert parse_connect_to(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "", ":", ":::", "example.com", "example.com:80", "a:80:127.0.0.1", "a:b:c:d", "a:80:127.0.0.1:0",
        "a:80:1.1.1.1:65536", "a:80:1.1.1.1:8080:9", "a:80:::1:8080", "::1:80:1.1.1.1:80", "a:-1:1.1.1.1:80",
        "a b:80:1.1.1.1:80", "a:80:1.1.1.1:99999999999999999999", "[::1:80:a:80", "[zz]:80:a:80", "a:８０:b:80",
        "[]:80:a:80",
    ],
)  # fmt: skip
def test_bad_connect_to_is_one_clear_line(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_connect_to(text)
    assert "--connect-to" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_first_rule_that_matches_decides() -> None:
    rules = [parse_connect_to(text) for text in ("a.example:80:10.0.0.1:1", ":80:10.0.0.2:2", "b.example::10.0.0.3:3")]
    assert destination(rules, "a.example", 80) == rules[0]
    assert destination(rules, "A.example", 80) == rules[0]
    assert destination(rules, "b.example", 80) == rules[1]
    assert destination(rules, "b.example", 443) == rules[2]
    assert destination(rules, "a.example", 443) is None
