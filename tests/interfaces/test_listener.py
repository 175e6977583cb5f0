"""What a node's listener answers, to whom."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from interfaces.web.listener import Listener


def answer(
    address: str, path: str, *, method: str = "GET", host: str = "localhost", unready: str = ""
) -> tuple[int, str]:
    """Return what a listener on an address answers; nothing is listened on."""
    vitals = Mock()
    vitals.unready.return_value = unready

    async def look() -> None:
        return None

    vitals.look = look

    async def ask() -> tuple[int, str]:
        listener = Listener(address, 9464, vitals)
        response = await listener._answer(make_mocked_request(method, path, {"Host": host}))
        await listener.close()
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in response.headers
        return response.status, response.body.decode()  # type: ignore[attr-defined]  # it is a Response

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "host", "served"),
    [
        ("127.0.0.1", "127.0.0.1:9464", True),
        ("127.0.0.1", "localhost:9464", True),
        ("::1", "[::1]:9464", True),
        ("127.0.0.1", "rebound.example:9464", False),
        ("127.0.0.7", "rebound.example", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "node:9464", True),  # a Prometheus asks by the name of the container
        ("10.0.0.7", "10.0.0.7:9464", True),
        ("::", "rebound.example", True),
    ],
)
def test_who_listens_on_loopback_answers_to_its_names_only(address: str, host: str, served: bool) -> None:
    status, text = answer(address, "/livez", host=host)
    assert (
        (status, text) == (200, "alive\n")
        if served
        else (
            (status, text.endswith("ask by localhost, or listen on another address by --metrics-address\n"))
            == (421, True)
        )
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/other"])
def test_nothing_can_be_changed(method: str, path: str) -> None:
    assert answer("127.0.0.1", path, method=method) == (405, "only GET and HEAD\n")


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/Metrics", "/livez/x", "/%6Cives", "//livez", "/readyz/../metrics"]
)
def test_there_is_nothing_else(path: str) -> None:
    assert answer("127.0.0.1", path)[0] == 404


def test_who_is_not_ready_says_why() -> None:
    assert answer("0.0.0.0", "/readyz", unready="the node is draining") == (503, "not ready: the node is draining\n")
    assert answer("0.0.0.0", "/readyz") == (200, "ready\n")
    assert answer("0.0.0.0", "/livez", unready="the node is draining") == (200, "alive\n")
