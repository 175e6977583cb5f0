"""Where a fetch may connect, and what a certificate may do to it."""

from __future__ import annotations

import asyncio
import datetime
import gc
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawler.addresses import parse_connect_to
from crawler.connecting import GuardedConnector, Reach
from crawler.failures import FetchFailed, Reason
from crawler.fetching import Answer, Fetcher
from tests.crawler.fetches import PAGE, SHORT, Answers, fetch, to
from tests.rawserver import RawServer, endless, page, serving, silence


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


def test_a_way_that_the_operator_opened_is_open_to_nobody_else() -> None:
    with serving({"/": page(PAGE)}) as server:
        rule = parse_connect_to(f"a.example:80:127.0.0.1:{server.port}")
        reach = Reach(ports=[80, server.port], connect_to=[rule])
        wanted = ["http://a.example/", f"http://127.0.0.1:{server.port}/", f"http://b.example:{server.port}/"]
        ends = fetch(*wanted, reach=reach, resolver=Answers(["127.0.0.1"]))
    assert isinstance(ends[0], Answer)
    assert [getattr(end, "reason", None) for end in ends[1:]] == [Reason.REFUSED_ADDRESS] * 2
    assert server.connections == 1


def test_connect_to_a_port_alone_leaves_the_address_judged() -> None:
    with serving({"/": page(PAGE)}) as server:
        rule = parse_connect_to(f":::{server.port}")
        shut, opened = (
            fetch("http://a.example/", reach=Reach(connect_to=[rule], allow_private=private), resolver=resolver)[0]
            for private, resolver in ((False, Answers(["127.0.0.1"])), (True, Answers(["127.0.0.1"])))
        )
    assert isinstance(shut, FetchFailed) and shut.reason is Reason.REFUSED_ADDRESS
    assert isinstance(opened, Answer)
    assert server.connections == 1


def test_connect_to_an_ipv6_address_from_an_ipv6_address() -> None:
    with socket.socket(socket.AF_INET6) as listening:
        listening.bind(("::1", 0))
        listening.listen()
        listening.settimeout(10)
        rule = parse_connect_to(f"[2606:4700::1]:80:[::1]:{listening.getsockname()[1]}")

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                heads.append(connection.recv(10_000))
                connection.sendall(page(PAGE))

        heads: list[bytes] = []
        thread = threading.Thread(target=answer)
        thread.start()
        [end] = fetch("http://[2606:4700::1]/", reach=Reach(connect_to=[rule]))
        thread.join(10)
    assert isinstance(end, Answer)
    assert (end.body, end.fetched.address) == (PAGE, "::1")
    assert b"Host: [2606:4700::1]\r\n" in heads[0]


def test_closing_leaves_nothing_open() -> None:
    async def keep_alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(page(PAGE).replace(b"Connection: close\r\n", b""))
        await reader.read()

    async def run(server: RawServer) -> tuple[list[bool], int]:
        fetcher = Fetcher(to(server), SHORT, user_agent="test")
        was_open = [fetcher.is_open]
        for path in ("kept", "cut", "late"):
            with suppress(FetchFailed):
                await fetcher.fetch(f"http://site.example/{path}")
        was_open.append(fetcher.is_open)
        await fetcher.close()
        was_open.append(fetcher.is_open)
        await fetcher.fetch("http://site.example/kept")  # opens again
        await fetcher.close()
        return was_open, len(asyncio.all_tasks())

    cut = endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", bytes(65536))
    with serving({"/kept": keep_alive, "/cut": cut, "/late": silence}) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asyncio.run(run(server), debug=True) == ([False, True, False], 1)
        gc.collect()  # a socket left open would warn here, which pytest makes an error


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


KEY = ec.generate_private_key(ec.SECP256R1())
DAY = datetime.timedelta(days=1)


def certificate(host: str, signer: x509.Name, *, days: int = 1, authority: bool = False) -> x509.Certificate:
    """Return a certificate for ``host``, by the one key of these tests, that ends in ``days`` days."""
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = x509.CertificateBuilder(
        signer, name, KEY.public_key(), x509.random_serial_number(), now - 9 * DAY, now + days * DAY
    )
    return (
        builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), critical=False)
        .sign(KEY, hashes.SHA256())
    )


ROOT_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root.example")])
ROOT = certificate("root.example", ROOT_NAME, authority=True)


def showing(shown: x509.Certificate) -> ssl.SSLContext:
    """Return a server's TLS that shows this certificate."""
    private = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + shown.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_a_bad_certificate_is_a_fact_not_an_end() -> None:
    names: list[str | None] = []
    site = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    tls = showing(certificate("site.example", site))
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    with serving({"/": page(PAGE)}, tls) as server:
        ends = fetch("https://site.example/", "https://site.example/", reach=to(server))
    facts = [(end.body, end.fetched.certificate_error) for end in ends if isinstance(end, Answer)]
    assert facts == [(PAGE, "self-signed certificate")] * 2
    assert names == ["site.example"] * 3  # verified once; after that it is known


TRUSTING = """
import sys
from tests.crawler.fetches import fetch
from crawler.addresses import parse_connect_to
from crawler.connecting import Reach
[end] = fetch("https://site.example/", reach=Reach(connect_to=[parse_connect_to("::127.0.0.1:" + sys.argv[1])]))
print(end.status, end.fetched.certificate_error)
"""


@pytest.mark.parametrize(
    ("host", "days", "wrong"),
    [
        ("site.example", 1, ""),
        ("site.example", -1, "certificate has expired"),
        ("other.example", 1, "Hostname mismatch"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_apart(tmp_path: Path, host: str, days: int, wrong: str) -> None:
    # In a process of its own: OpenSSL reads whom to trust once, and aiohttp as it is imported.
    (tmp_path / "root.pem").write_bytes(ROOT.public_bytes(serialization.Encoding.PEM))
    with serving({"/": page(PAGE)}, showing(certificate(host, ROOT_NAME, days=days))) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", TRUSTING, str(server.port)],
            capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
            env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "root.pem")},
        )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (f"200 {wrong}".strip(), "")


def test_a_server_that_answers_no_farewell_is_left_alone() -> None:
    left = threading.Event()
    tls = showing(certificate("site.example", ROOT_NAME))

    def answer(listening: socket.socket) -> None:
        for _ in range(2):  # once verified, once not
            connection, _ = listening.accept()
            connection.settimeout(10)
            with suppress(ssl.SSLError), tls.wrap_socket(connection, server_side=True) as speaking:
                speaking.recv(10_000)
                speaking.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n")
                with socket.socket(fileno=speaking.detach()) as beneath, suppress(ConnectionError):
                    beneath.settimeout(10)
                    while beneath.recv(10_000):  # a farewell within TLS is not the end of the connection
                        pass
                left.set()

    async def run(reach: Reach) -> bool:
        fetcher = Fetcher(reach, SHORT, user_agent="test")
        answer = await fetcher.fetch("https://site.example/")
        assert answer.fetched.flags == ("not_a_page",)
        gone = await asyncio.to_thread(left.wait, 8)
        await fetcher.close()
        return gone

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        rule = parse_connect_to(f"::127.0.0.1:{listening.getsockname()[1]}")
        assert asyncio.run(run(Reach(connect_to=[rule])))
        thread.join(20)


def test_no_tls_where_tls_is_due() -> None:
    with serving({"": page(PAGE)}) as server:
        [end] = fetch("https://site.example/", reach=to(server))
    assert isinstance(end, FetchFailed)
    assert end.reason is Reason.TLS
