"""Whether the nodes of this machine, or of this container, are well."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from interfaces.text import safe_text
from interfaces.web.asking import ask
from linkindex.errors import BadInput
from settings.options import Options


def check_health(options: Options) -> tuple[bool, str]:
    """Return whether all nodes of a command with these options are alive and ready, and the line that says so.

    Raises BadInput where the options name no port to ask on.
    """
    if not options.metrics_port:
        raise BadInput("--health: the node listens on no port; set LINKATLAS_METRICS_PORT for both, as in 9464")
    address = _address(options.metrics_address)
    ports = range(options.metrics_port, options.metrics_port + options.workers)
    for port in ports:
        wrong = asyncio.run(_wrong(address, port))
        if wrong:
            return False, safe_text(f"{address} port {port}: {wrong}")
    return True, f"{address} port {' and '.join(map(str, ports))}: alive and ready"


async def _wrong(address: str, port: int) -> str:
    """Return what is wrong with the node on a port, "" where it is well."""
    for path in ("/livez", "/readyz"):
        try:
            status, text = await ask(address, port, path)
        except TimeoutError:
            return f"{path} is not answered; the node stands still"
        except ConnectionRefusedError:
            return "nobody listens; is the node at work, with the same --metrics-port?"
        except OSError as error:
            return f"{path} is not answered: {error}"
        if status != 200:
            return text.strip() or f"{path} is answered {status}"
    return ""


def _address(listening: str) -> str:
    """Return where to ask who listens on this address: one that means all of a machine's means loopback too."""
    return "127.0.0.1" if ip_address(listening).is_unspecified else listening
