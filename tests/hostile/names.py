"""A name server for TXT records on a free port of 127.0.0.1, and crawls that ask it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.crawls.command import Ran, environment

# Runs the command with this name server in place of those that the machine is set to.
COMMAND = """
import sys
from crawler import ownership
from dns.asyncresolver import Resolver
from interfaces.cli.main import main

def ours():
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], int(sys.argv[1])
    return resolver

ownership._resolver = ours
ownership.PATIENCE = 1.0
sys.exit(main(sys.argv[2:]))
"""

SILENT = "silent"  # a name for which no answer comes
BROKEN = "broken"  # one for which bytes come that are no DNS message


@contextmanager
def name_server(records: Mapping[str, list[str]], asked: list[str]) -> Iterator[int]:
    """Serve TXT records, each of these strings in pieces of at most 10 bytes; yields the port. ``asked`` gathers names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("127.0.0.1", 0))
        serving = threading.Thread(target=_serve, args=(served, records, asked), daemon=True)
        serving.start()
        try:
            yield int(served.getsockname()[1])
        finally:
            served.sendto(b"", served.getsockname())  # which ends it
            serving.join()


def _serve(served: socket.socket, records: Mapping[str, list[str]], asked: list[str]) -> None:
    while True:
        packet, who = served.recvfrom(4096)
        if not packet:
            return
        question = dns.message.from_wire(packet)
        name = question.question[0].name.to_text(omit_final_dot=True)
        asked.append(name)
        answer = dns.message.make_response(question)
        texts = records.get(name)
        if texts == [SILENT]:
            continue
        if texts == [BROKEN]:
            served.sendto(packet[:2] + b"\xff" * 40, who)
            continue
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            quoted = (" ".join(f'"{text[at : at + 10]}"' for at in range(0, len(text), 10)) for text in texts)
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "TXT", *quoted))
        answer.flags |= dns.flags.RA
        served.sendto(answer.to_wire(), who)


def run_asking(port: int, folder: Path, *arguments: str) -> Ran:
    """Run a command to the end in ``folder``; names are asked of the server at ``port``."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(port), *arguments],
        cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240.0, check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)
