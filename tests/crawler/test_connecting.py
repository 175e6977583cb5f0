"""Where a fetch may connect, and what a certificate may do to it."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawler.addresses import parse_connect_to
from crawler.connecting import GuardedConnector, Reach
from crawler.failures import FetchFailed, Reason
from crawler.fetching import Answer
from tests.crawler.fetches import PAGE, Answers, fetch, to
from tests.rawserver import page, serving


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.1", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "0"]
)
def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    with serving({}) as server:
        [end] = fetch(f"http://{host}:{server.port}/", reach=Reach(ports=[server.port]))
    assert isinstance(end, FetchFailed)
    assert (end.reason, server.connections) == (Reason.REFUSED_ADDRESS, 0)


@pytest.mark.parametrize("host", ["localhost", "deep.localhost", "rebound.example"])
def test_names_are_judged_by_the_address_connected_to(host: str) -> None:
    with serving({}) as server:
        reach = Reach(ports=[server.port])
        [end] = fetch(f"http://{host}:{server.port}/", reach=reach, resolver=Answers(["127.0.0.1", "::1"]))
    assert isinstance(end, FetchFailed)
    assert (end.reason, server.connections) == (Reason.REFUSED_ADDRESS, 0)


def test_a_name_that_changes_its_address_is_judged_again() -> None:
    async def run() -> None:
        # What this returns is what aiohttp connects to: no connection to a public address is tried here.
        connector = GuardedConnector(Reach(), 1000, Answers(["1.2.3.4"], ["127.0.0.1"]))
        try:
            for _ in range(3):
                found = await connector._resolve_host("rebound.example", 80)
                assert [result["host"] for result in found] == ["1.2.3.4"]
            connector.clear_dns_cache()
            with pytest.raises(FetchFailed) as caught:
                await connector._resolve_host("rebound.example", 80)
            assert caught.value.reason is Reason.REFUSED_ADDRESS
        finally:
            await connector.close()

    asyncio.run(run())


def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    with serving({"/": page(PAGE)}) as server:
        reach = Reach(ports=[server.port], allow_private=True)
        resolver = Answers(["169.254.169.254", "127.0.0.1"])
        [end] = fetch(f"http://mixed.example:{server.port}/", reach=reach, resolver=resolver)
    assert isinstance(end, Answer)
    assert end.fetched.address == "127.0.0.1"


def test_private_addresses_open_on_demand() -> None:
    with serving({"/": page(PAGE)}) as server:
        [end] = fetch(f"{server.url}/", reach=Reach(ports=[server.port], allow_private=True))
    assert isinstance(end, Answer)


def test_ports_are_refused() -> None:
    with serving({}) as server:
        ends = fetch(f"{server.url}/", "http://site.example:22/", reach=Reach(ports=[22, 80], allow_private=True))
    assert [getattr(end, "reason", None) for end in ends] == [Reason.REFUSED_PORT] * 2
    assert server.connections == 0


def test_connect_to_keeps_the_host_and_needs_no_name_server() -> None:
    with serving({"/": page(PAGE)}) as server:
        rules = [
            parse_connect_to(f"a.example:8081:127.0.0.1:{server.port}"),
            parse_connect_to(f":80:127.0.0.1:{server.port}"),
        ]
        wanted = ["http://a.example:8081/", "http://10.0.0.1/", "http://b.invalid/"]
        ends = fetch(*wanted, reach=Reach(connect_to=rules))
    assert all(isinstance(end, Answer) for end in ends)
    hosts = [head.split(b"\r\n")[1] for head in server.requests]
    assert hosts == [b"Host: a.example:8081", b"Host: 10.0.0.1", b"Host: b.invalid"]


def test_a_name_that_does_not_resolve() -> None:
    ends = fetch("http://nowhere.invalid/", f"http://{'a' * 70}.example/", f"http://{'a.' * 130}example/")
    assert [getattr(end, "reason", None) for end in ends] == [Reason.DNS] * 3


def test_nobody_there() -> None:
    with serving({}) as server:
        pass
    [end] = fetch("http://site.example/", reach=to(server))
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.CONNECT


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/": page(PAGE)}) as proxy, serving({"/": page(PAGE)}) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        [end] = fetch("http://site.example/", reach=to(server))
    assert isinstance(end, Answer)
    assert (proxy.connections, server.connections) == (0, 1)


@pytest.fixture(scope="module")
def self_signed() -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_a_bad_certificate_is_a_fact_not_an_end(self_signed: ssl.SSLContext) -> None:
    names: list[str | None] = []
    self_signed.sni_callback = lambda _socket, name, _context: names.append(name)
    with serving({"/": page(PAGE)}, self_signed) as server:
        ends = fetch("https://site.example/", "https://site.example/", reach=to(server))
    facts = [(end.body, end.fetched.certificate_error) for end in ends if isinstance(end, Answer)]
    assert facts == [(PAGE, "self-signed certificate")] * 2
    assert names == ["site.example"] * 3  # verified once; after that it is known


def test_no_tls_where_tls_is_due() -> None:
    with serving({"": page(PAGE)}) as server:
        [end] = fetch("https://site.example/", reach=to(server))
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.TLS
