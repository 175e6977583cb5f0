"""The ``linkatlas`` command. Each command's module is imported when it is called, so that questions start fast."""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from interfaces.cli.program import program
from interfaces.cli.terminal import NO_ROOM
from interfaces.cli.voice import voice
from linkindex.errors import LinkatlasError
from settings.options import OptionError, flag, specs
from settings.values import nearest


class Entry(NamedTuple):
    """Where a command is, and what the list of commands says of it."""

    path: str
    summary: str


COMMANDS = {
    "crawl": Entry("interfaces.cli.crawl:crawl", "Crawl outward from seeds and keep every link."),
    "node": Entry("interfaces.cli.fleet:node", "Join a crawl and work on it until told to stop."),
    "nodes": Entry("interfaces.cli.fleet:nodes", "Who works on a crawl, and how fast."),
    "top": Entry("interfaces.cli.top:top", "A crawl under way, live: its speed, its queue, its nodes."),
    "seed": Entry("interfaces.cli.fleet:seed", "Add seeds to a crawl, or have pages visited again."),
    "hold": Entry("interfaces.cli.upkeep:hold", "Leave a host, a URL or a pattern alone for a while."),
    "forget": Entry("interfaces.cli.forget:forget", "Take pages, their links and queue entries out, for good."),
    "reconcile": Entry("interfaces.cli.upkeep:reconcile", "Rebuild a frontier that was lost from the index."),
    "status": Entry("interfaces.cli.status:status", "How far the crawl is, and what the index holds."),
    "why": Entry("interfaces.cli.status:why", "The whole life of one URL: found where, visited when, or why not."),
    "audit": Entry("interfaces.cli.audit:audit", "What was asked of a host, when, and under which rule."),
    "backlinks": Entry("interfaces.cli.questions:backlinks", "Who links to a target, and how."),
    "broken": Entry("interfaces.cli.questions:broken", "Which links lead nowhere, and where they could lead."),
    "domains": Entry("interfaces.cli.questions:domains", "Which domains link to a target."),
    "anchors": Entry("interfaces.cli.questions:anchors", "Under which texts a target is linked."),
    "changes": Entry("interfaces.cli.questions:changes", "What happened to the links of a target, and when."),
    "history": Entry("interfaces.cli.questions:history", "Every version of the links of one page."),
    "pages": Entry("interfaces.cli.questions:pages", "A target's pages and what they say of themselves."),
    "outlinks": Entry("interfaces.cli.questions:outlinks", "What a page links to."),
    "overview": Entry("interfaces.cli.questions:overview", "A target's backlink profile in numbers."),
    "classify": Entry("interfaces.cli.classify:classify", "Tell links of templates from links that somebody wrote."),
    "compact": Entry("interfaces.cli.compact:compact", "Give back room on disk that the index does not use."),
    "doctor": Entry("interfaces.cli.doctor:doctor", "Whether index and frontier have what they need."),
    "normalize": Entry(
        "interfaces.cli.normalize:normalize", "The one spelling of a URL, and the rules that lead to it."
    ),
    "config": Entry("interfaces.cli.config:config", "Every option, its value and where it comes from."),
    "demo": Entry("interfaces.cli.demo:demo", "Crawl a small made-up web on this machine and ask about it."),
}

_COMMAND = re.compile(rf"\blinkatlas(?= (?:{'|'.join(COMMANDS)}|--help)\b)")  # where a line tells what to type


class Commands(click.Group):
    """A group that knows its commands by name and imports one when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return _command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            named = args[0].lower()
            near = f"--{named}" if named in ("help", "version") else nearest(named, tuple(COMMANDS), 0.55)
            raise click.UsageError(f"no such command {args[0]!r}" + (f"; did you mean {near}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(
    cls=Commands,
    epilog="Begin with:  linkatlas demo   or:  linkatlas crawl https://example.com",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="linkatlas", prog_name="linkatlas")
def group() -> None:
    """An open, self-hosted backlink index, with the crawler that fills it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (see the README for what each means)."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if os.getpid() == 1:  # the first process of a container, which the system spares signals that it does not ask for
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    voice.form = "text"  # until a command says otherwise
    if sys.stderr is None:  # as Python has it where one is closed; what is said is to be lost then
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for the rest of the process
    if sys.stdout is None:
        return _fail("standard output is closed; give it somewhere to go, be it /dev/null", 2)
    return _run(given)


def _run(given: list[str]) -> int:
    try:
        # Not group.main: it would end the process with 1 where a reader has seen enough.
        with group.make_context("linkatlas", list(given), obj=given) as context:
            result = group.invoke(context)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt) as interrupted:
        return _fail(str(interrupted), 130) if str(interrupted) else 130
    except click.ClickException as error:
        return _fail(_one_line(error, given), 2)
    except OptionError as error:
        return _fail(str(error), 2)
    except LinkatlasError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain about it when it flushes at exit.
        _discard_output()
        return 0
    except OSError as error:
        if error.errno not in NO_ROOM:
            return _fail_as_bug(error)
        _discard_output()
        return _fail(f"{error.filename or 'output'}: {error.strerror}; make room, then try again", 69)
    except Exception as error:
        return _fail_as_bug(error)
    return result if isinstance(result, int) else 0


def _fail_as_bug(error: Exception) -> int:
    if os.environ.get("LINKATLAS_DEBUG"):
        raise error
    kind = type(error).__name__
    return _fail(f"a bug, sorry: {kind}: {error}; LINKATLAS_DEBUG=1 shows where, please report it", 70)


def _discard_output() -> None:
    """Let what is still buffered for standard output go nowhere: Python would complain about it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: click.ClickException, given: Sequence[str]) -> str:
    """Say what is wrong with a command line, and what would be right, in one line."""
    name = next((argument for argument in given if argument in COMMANDS), None)
    message = " ".join(error.format_message().split()).rstrip(".")
    remedy = f"see linkatlas {name} --help" if name else "see linkatlas --help"
    if isinstance(error, click.NoSuchOption):
        at_root = error.ctx is not None and error.ctx.parent is None
        another = _of_another(error.option_name, name)
        hint = "" if at_root and another else another or _nearest_option(error)
        message = f"no such option {error.option_name}" + (f"; {hint}" if hint else "")
        if not hint and not name:
            remedy = "options follow the command, as in: linkatlas backlinks example.com --format json"
    elif isinstance(error, click.MissingParameter) and error.param and error.ctx:
        message = f"argument {error.param.make_metavar(error.ctx)} is missing"
        remedy = f"as in: {_example(error.ctx.command)}"
    return f"{message[:1].lower()}{message[1:]} ({remedy})"


def _nearest_option(error: click.NoSuchOption) -> str:
    """Return which option of the same command may have been meant, or which value of one; "" where none is near."""
    if not error.option_name.startswith("--"):
        return ""
    params = error.ctx.command.params if error.ctx else []
    for param in params:
        if isinstance(param.type, click.Choice) and error.option_name[2:] in param.type.choices:
            return f"did you mean {param.opts[-1]} {error.option_name[2:]}?"
    known = tuple(option for param in params for option in param.opts)
    near = nearest(error.option_name, (*known, "--help"))
    return f"did you mean {near}?" if near else ""


def _of_another(option: str, name: str | None) -> str:
    """Return which other commands take an option; "" where none does."""
    takers = [other for other in COMMANDS if any(option in param.opts for param in _command(other).params)]
    if not takers:
        return ""
    named = f"it is an option of {', '.join(takers[:3])}{' and others' if takers[3:] else ''}"
    of_crawl = name == "node" and "crawl" in takers and option in map(flag, specs())
    return named + (", and a node has it from the crawl that it joins" if of_crawl else "")


def _command(name: str) -> click.Command:
    module, _, attribute = COMMANDS[name].path.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def _example(command: click.Command) -> str:
    lines = (line.strip() for line in (command.epilog or "").splitlines())
    return next((line for line in lines if line.startswith("linkatlas ")), f"linkatlas {command.name}")


def _fail(line: str, code: int) -> int:
    # Whoever called ./run has no linkatlas to type, and the floors below know of neither.
    voice.say(_COMMAND.sub(lambda _: program(), line), "error")
    return code


if __name__ == "__main__":
    sys.exit(main())
