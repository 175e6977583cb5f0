"""Where ``linkatlas`` begins: from here on Ctrl-C ends it without a word, while its modules are still being read too."""

from __future__ import annotations


def main() -> int:
    """Run one command; return its exit code."""
    try:
        from interfaces.cli.main import main as run
    except KeyboardInterrupt:
        return 130
    return run()
