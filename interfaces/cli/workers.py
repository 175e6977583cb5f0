"""More nodes on this machine: worker processes on the same frontier, which end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from interfaces.cli.voice import voice
from linkindex.errors import BadInput, LinkatlasError
from settings.options import Options

MOST_PORT = 65535


@contextmanager
def workers(options: Options, count: int) -> Iterator[Callable[[], None]]:
    """Run ``count`` more nodes; yields what tells them to stop.

    On leaving, wait for them: they stop by themselves when the frontier is finished.
    """
    if options.metrics_port and options.metrics_port + count > MOST_PORT:
        raise BadInput(f"--metrics-port {options.metrics_port}: each worker takes the next one; name a smaller")
    command = [sys.executable, "-m", "interfaces.cli.workers"]
    # In sessions of their own: a Ctrl-C in the terminal is for this process, which tells them by closing the pipe.
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) for _ in range(count)]
    for number, worker in enumerate(started, 1):
        assert worker.stdin is not None
        port = options.metrics_port + number if options.metrics_port else 0
        given = replace(options, metrics_port=port)
        worker.stdin.write(msgspec.json.encode(given) + b"\n")  # not among the arguments: those are for all to read
        worker.stdin.flush()

    def stop() -> None:
        for worker in started:
            assert worker.stdin is not None
            worker.stdin.close()  # a worker that would go on drains instead: see _end_with_parent

    try:
        yield stop
    finally:
        stop()
        for worker in started:
            worker.wait()


def _end_with_parent() -> None:
    """Drain when the parent is gone, however it went: its end of our standard input closes with it."""
    while os.read(0, 4096):  # not by sys.stdin, whose lock Python wants when it ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Work as one node, with the options that the parent gave."""
    from crawler.process import run_node

    options = msgspec.json.decode(sys.stdin.buffer.readline(), type=Options)
    voice.form = options.log_format
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        end = run_node(options)
        if end.message:
            voice.say(f"a worker stopped: {end.message}", "error")
        return end.exit_code
    except LinkatlasError as error:
        voice.say(f"a worker ended: {error}", "error")
        return error.exit_code
    except KeyboardInterrupt as interrupted:
        voice.say(f"a worker {interrupted or 'was interrupted'}", "error")
        return 130


if __name__ == "__main__":
    sys.exit(main())
