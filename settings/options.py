"""Every option of linkatlas, once: the fields of :class:`Options` are the table that feeds the command line, the
environment, ``linkatlas.toml``, Scrapy's settings and the documentation.

A value comes from a flag, else from ``LINKATLAS_<NAME>`` or the file that ``LINKATLAS_<NAME>_FILE`` names (as secrets of
containers come; not from both), else from ``linkatlas.toml`` in the working directory, else it is the default.
``python -m settings.options`` prints the table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from settings import values

FILE = "linkatlas.toml"
PREFIX = "LINKATLAS_"
IN_FILE = "_FILE"
FRONTIERS = (
    *("sqlite:///PATH", "redis://HOST:PORT/DB?job=NAME", "rediss://HOST:PORT/DB?job=NAME", "unix:///PATH?job=NAME"),
    *("redis+sentinel://HOST:PORT/SERVICE/DB?job=NAME", "redis+cluster://HOST:PORT?job=NAME"),
)
INDEXES = ("sqlite:///PATH", "mongodb://HOST:PORT/NAME", "mongodb+srv://HOST/NAME")
# Variables with our prefix that are no options: which Python `run` takes, how it was called, whether errors show where.
OTHER_VARIABLES = ("LINKATLAS_PYTHON", "LINKATLAS_CALLED", "LINKATLAS_DEBUG")


class OptionError(ValueError):
    """An option is unknown or its value cannot be used; the text says which, where it came from, and what would do."""


@dataclass(frozen=True)
class Spec:
    """What is to be known of an option beside its name, type and default."""

    help: str
    parse: values.Reader
    metavar: str
    group: str
    many: bool = False
    choices: tuple[str, ...] = ()


def _option(default: Any, help: str, parse: values.Reader, metavar: str, group: str, **others: Any) -> Any:
    return field(default=default, metadata={"spec": Spec(help, parse, metavar, group, **others)})


_ANY = float("inf")


def _count(default: int, help: str, group: str, least: int = 0, most: float = _ANY) -> Any:
    return _option(default, help, values.number(least, most, whole=True), "N", group)


def _seconds(default: float, help: str, group: str, least: float = 0.0, most: float = 86400.0) -> Any:
    return _option(default, help, values.number(least, most, whole=False), "SECONDS", group)


def _one_of(default: str, help: str, group: str, *choices: str) -> Any:
    return _option(default, help, values.one_of(choices), "|".join(choices), group, choices=choices)


def _texts(help: str, metavar: str, group: str) -> Any:
    return _option((), help, values.many(values.text), metavar, group, many=True)


def _switch(help: str, group: str) -> Any:
    return _option(False, help, values.switch, "", group)


@dataclass(frozen=True, kw_only=True)
class Options:
    """All options with their values. Sizes are bytes, times are seconds."""

    index: str = _option(
        "sqlite:///linkatlas.db",
        "where links are kept: sqlite:///PATH, or mongodb://HOST:PORT/NAME for many nodes",
        values.place(*INDEXES),
        "URL",
        "places",
    )
    frontier: str = _option(
        "",
        "where the queue is kept: sqlite:///PATH, or redis://HOST:PORT/DB?job=NAME for many nodes "
        "(default: beside the index, NAME-frontier.db)",
        values.place(*FRONTIERS),
        "URL",
        "places",
    )
    accept_volatile: bool = _switch(
        "take a Redis that may forget: without append-only file, or with eviction", "places"
    )
    host_queue: int = _count(
        1000, "URLs of one host that Redis queues at most, when a job begins; the rest waits in the index", "places", 10
    )
    depth: int = _count(3, "links from a seed that are followed", "scope")
    max_pages: int = _count(1000, "pages to visit; 0: no limit", "scope")
    max_pages_per_host: int = _count(0, "pages to visit on one host; 0: no limit", "scope")
    max_pages_per_domain: int = _count(0, "pages to visit on all hosts of one domain; 0: no limit", "scope")
    more_pages_per_linker: int = _count(
        0, "pages more, of a host and a domain, for each other domain that links to it", "scope"
    )
    sitemaps: str = _one_of(
        "seeds", "whose sitemaps are read: those of the seeds' hosts, of all hosts", "scope", "seeds", "all", "none"
    )
    stay: str = _one_of("anywhere", "how far to go from the seeds", "scope", "host", "domain", "anywhere")
    include: tuple[str, ...] = _texts(
        "visit only URLs that match this pattern, with * and ? as in file names (repeatable)", "PATTERN", "scope"
    )
    exclude: tuple[str, ...] = _texts("visit no URL that matches this pattern (repeatable)", "PATTERN", "scope")
    soft_404: str = _one_of(
        "several",
        "hosts that are asked once for a page that cannot be there, so that it is recognised where it comes instead of "
        "others: those of which several pages are visited, all, none",
        "scope",
        *("several", "all", "none"),
    )
    max_redirects: int = _count(10, "redirects in a row that are followed", "scope")
    max_url: int = _count(2083, "bytes of a URL; longer ones are not visited", "scope", 50)
    delay: float = _seconds(1.0, "seconds between two fetches of a host", "politeness", most=3600.0)
    contact: str = _option(
        "",
        "URL or mail address, shown to sites in the User-Agent: whom to write to",
        values.line,
        "CONTACT",
        "politeness",
    )
    opt_out: str = _option(
        "",
        "list of hosts and domains that are never visited, one a line",
        values.text,
        "FILE",
        "politeness",
    )
    own: tuple[str, ...] = _texts(
        "ignore robots.txt of this host, whose /.well-known/linkatlas.txt or TXT record has the contact (repeatable)",
        "HOST",
        "politeness",
    )
    request_log: str = _option(
        "", "file to which a line is added for every request, for linkatlas audit", values.text, "FILE", "politeness"
    )
    max_wait: float = _seconds(
        600.0, "seconds to wait for hosts that asked to be left alone, before stopping with exit code 75", "politeness"
    )
    max_crawl_delay: float = _seconds(
        60.0, "the longest delay between two fetches that robots.txt of a host may ask for", "politeness", most=3600.0
    )
    slow: float = _option(
        1.0,
        "leave a slow host alone for so many times as long as its answers take, where there is a delay; 0: no",
        values.number(0.0, 100.0, whole=False),
        "FACTOR",
        "politeness",
    )
    per_address: bool = _switch("hosts at one IP address share one delay", "politeness")
    retries: int = _count(3, "visits without an answer after which a URL counts as failed", "politeness", 1, 100)
    workers: int = _count(1, "processes on this machine", "speed", 1, 64)
    recrawl: bool = _switch("go on for ever: visit pages again, the sooner the more often they change", "scope")
    keep_alive: bool = _switch("stay when nothing is left to visit, for work that others bring", "speed")
    concurrency: int = _count(32, "visits under way at once, of each process", "speed", 1, 1000)
    batch: int = _count(100, "visits written to the index at once", "speed", 1, 10_000)
    flush_interval: float = _seconds(
        0.01, "seconds that a visit waits for others to be written with it", "speed", 0.001, 60.0
    )
    max_stall: float = _seconds(
        60.0,
        "CPU seconds that one page may hold up a process; then it ends, and a page that did so four times has failed",
        "speed",
        1.0,
    )
    lease: float = _seconds(
        120.0, "seconds after which a URL goes to another process if its own has died", "speed", 10.0
    )
    connect_to: tuple[str, ...] = _texts(
        "connect to another address, as curl does; empty HOST or PORT: any (repeatable)",
        "HOST:PORT:ADDRESS:PORT2",
        "network",
    )
    allow_private: bool = _switch("visit private and loopback addresses too", "network")
    ports: tuple[int, ...] = _option(
        (80, 443), "ports that are visited", values.many(values.number(1, 65535, whole=True), ","), "PORT,…", "network"
    )
    connect_timeout: float = _seconds(10.0, "seconds until a connection must stand", "network", 0.1)
    first_byte_timeout: float = _seconds(20.0, "seconds until an answer must begin", "network", 0.1)
    timeout: float = _seconds(60.0, "seconds that a whole fetch may take", "network", 0.1)
    max_body: int = _option(
        8 * 1024**2, "size of a page, decompressed; the rest is cut off", values.size, "SIZE", "network"
    )
    max_headers: int = _option(256 * 1024, "size of an answer's headers", values.size, "SIZE", "network")
    least_rate: int = _option(
        1024,
        "bytes a second that a body must come with, on average, once --first-byte-timeout has passed; a slower one is cut off",
        values.size,
        "SIZE",
        "network",
    )
    max_ratio: int = _count(
        200,
        "times that a body over 1 MiB may be larger than what came, by decompression; the rest is cut off",
        "network",
        1,
    )
    max_sitemap: int = _option(
        50 * 1024**2, "size of a sitemap, decompressed; the rest is cut off", values.size, "SIZE", "network"
    )
    max_links: int = _count(10_000, "links that are taken from one page", "index", 1)
    max_anchor: int = _count(512, "characters of an anchor text; the rest is cut off", "index", 1, 8192)
    max_dom_depth: int = _count(
        4000,
        "elements inside one another; what lies deeper is left unread, and so is a page that only opens them",
        "index",
        10,
        100_000,
    )
    max_nodes: int = _count(
        500_000,
        "elements, texts and attributes of a page that are read; each takes some 150 bytes of memory meanwhile",
        "index",
        1000,
    )
    internal_links: bool = _switch("keep links inside one domain in full, with anchor and rel", "index")
    lost_after_visits: int = _count(
        3,
        "failed visits in a row after which the links of a page that is gone or unreachable are lost",
        "index",
        1,
        1000,
    )
    lost_after_days: float = _option(
        3.0,
        "days that those visits must span",
        values.number(0.0, 3650.0, whole=False),
        "DAYS",
        "index",
    )
    durability: str = _one_of("normal", "normal survives a kill, full a loss of power too", "index", "normal", "full")
    store_wait: float = _seconds(
        600.0, "seconds to wait for a store that is away, before stopping with exit code 69", "index"
    )
    time_limit: float = _seconds(0.0, "seconds that a question may take; 0: as long as it takes", "questions")
    metrics_port: int = _count(
        0,
        "port on which a node tells how it is: /metrics, /livez, /readyz; further workers take the ports that follow; "
        "0: it listens on nothing",
        "watching",
        0,
        65535,
    )
    metrics_address: str = _option(
        "127.0.0.1",
        "IP address on which it does; 0.0.0.0 lets other machines ask too",
        values.address,
        "ADDRESS",
        "watching",
    )
    log_level: str = _one_of("warning", "what is logged", "watching", "debug", "info", "warning", "error")
    log_format: str = _one_of(
        "text", "how: lines to read, or JSON, one object a line, for what gathers the logs of containers", "watching",
        *("text", "json"),
    )  # fmt: skip

    @property
    def frontier_url(self) -> str:
        """The frontier's place, with the default worked out."""
        if self.frontier or not self.index.startswith("sqlite:///"):
            return self.frontier
        return re.sub(r"(\.\w+)?$", r"-frontier\1", self.index, count=1)


def specs() -> dict[str, Spec]:
    """Return the table: option name to what is to be known of it."""
    return {each.name: each.metadata["spec"] for each in fields(Options)}


def default(name: str) -> Any:
    """Return the default of an option."""
    return Options.__dataclass_fields__[name].default


def shown_default(name: str) -> str:
    """Return the default of an option as help and documentation show it, "" where there is none to show."""
    value = default(name)
    return "" if isinstance(value, bool) else shown(name, value)


def shown(name: str, value: Any) -> str:
    """Return an option's value as a person would write it."""
    if specs()[name].metavar == "SIZE":
        return values.shown_size(value)
    if name in ("index", "frontier"):
        return values.without_password(value)
    if isinstance(value, tuple):
        return (" " if specs()[name].many else ",").join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def flag(name: str) -> str:
    """Return an option's name on the command line."""
    return "--" + name.replace("_", "-")


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str], toml: Mapping[str, Any]) -> Options:
    """Return the options that these sources give; flags that are None are not given. Raises :class:`OptionError`."""
    return Options(**{name: value for name, (value, _) in trace(flags, environ, toml).items()})


def trace(flags: Mapping[str, Any], environ: Mapping[str, str], toml: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Return each option's value and where it came from: the flag, the variable, the file, or "default"."""
    table = specs()
    variables = {key: value for key, value in environ.items() if key.startswith(PREFIX) and key not in OTHER_VARIABLES}
    names = [PREFIX + name.upper() for name in table]
    _check_known(variables, [*names, *(name + IN_FILE for name in names)], "environment variable")
    _check_known(toml, table, f"{FILE}: option")
    traced: dict[str, tuple[Any, str]] = {}
    for (name, spec), variable in zip(table.items(), names, strict=True):
        sources = _sources(name, variable, flags, variables, toml)
        given = next(((value, source) for value, source in sources if value is not None and value != ()), None)
        traced[name] = (_parsed(spec, *given), given[1]) if given else (default(name), "default")
    return traced


def _sources(
    name: str, variable: str, flags: Mapping[str, Any], variables: Mapping[str, str], toml: Mapping[str, Any]
) -> Iterator[tuple[Any, str]]:
    """Yield what the sources of an option give, the first one that counts first; one behind it is not looked at."""
    yield flags.get(name), flag(name)
    yield _variable(variable, variables)
    yield toml.get(name), f"{FILE}: {name}"


def _variable(name: str, variables: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the value of a variable, or of the file that its other form names, and which of both it was; one of them has to
    go where both are set, as with the images of databases: nobody could tell which was meant. A file without a name is none."""
    in_file = name + IN_FILE
    if not variables.get(in_file):
        return variables.get(name), name
    if name in variables:
        raise OptionError(f"{name} and {in_file} are both set; set {in_file} to nothing, or take one away")
    return _secret(in_file, variables[in_file]), in_file


def _secret(variable: str, path: str) -> str:
    """Return what a file holds that ``variable`` names, without the line's end."""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise OptionError(f"{variable}: {path!r} cannot be read: {why}; name a file that holds the value") from None


def _parsed(spec: Spec, value: Any, source: str) -> Any:
    try:
        return spec.parse(value)
    except ValueError as error:
        wanted = str(error)
    except TypeError:
        wanted = spec.metavar
    raise OptionError(f"{source}: {_quoted(value)} will not do; give {wanted}")


def _quoted(value: Any) -> str:
    """Return what was given, without the password that it may hold."""
    return re.sub(r"(//[^/:@]*:)(?!\*\*\*@).*@", r"\1***@", values.without_password(repr(value)))


def _check_known(given: Iterable[str], known: Iterable[str], what: str) -> None:
    names = tuple(known)
    for name in given:
        if name not in names:
            near = values.nearest(name, names)
            raise OptionError(f"{what} {name!r} is unknown" + (f"; the nearest is {near!r}" if near else ""))


def read_toml(path: str = FILE) -> dict[str, Any]:
    """Return what the configuration file says, {} where there is none. Raises :class:`OptionError`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise OptionError(f"{path}: cannot be read: {why}; mend it or take it away") from None
    import tomllib  # noqa: PLC0415  only for those who have such a file

    try:
        return {name.replace("-", "_"): value for name, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{path}: {error}; write as in: max_pages = 5000") from None


def resolve_here(flags: Mapping[str, Any]) -> Options:
    """Return the options of this process: flags, its environment, the file in its working directory."""
    return resolve(flags, os.environ, read_toml())


def scrapy_settings(options: Options) -> dict[str, Any]:
    """Return the options under the names that Scrapy components read, LINKATLAS_<NAME>, and what follows from them."""
    from importlib.metadata import version  # noqa: PLC0415  slow, and questions need no User-Agent

    agent = f"linkatlas/{version('linkatlas')}" + (f" (+{options.contact})" if options.contact else "")
    return {
        **{PREFIX + each.name.upper(): getattr(options, each.name) for each in fields(Options)},
        "USER_AGENT": agent,
        "LOG_LEVEL": options.log_level.upper(),
    }


def from_scrapy(settings: Mapping[str, Any]) -> Options:
    """Return the options that Scrapy's settings hold, be it as values or (``-s LINKATLAS_DEPTH=2``) as text. Raises
    :class:`OptionError`."""
    held: dict[str, Any] = {name: settings.get(name) for name in map(str, settings) if name.startswith(PREFIX)}
    _check_known(held, [PREFIX + name.upper() for name in specs()], "setting")
    return resolve({}, held, {})


def docs_table() -> str:
    """Return the table of options as Markdown, by group."""
    lines: list[str] = []
    groups = dict.fromkeys(spec.group for spec in specs().values())
    for group in groups:
        lines += [f"## {group.capitalize()}", "", "| option | variable | default | what it says |", "|---|---|---|---|"]
        for name, spec in specs().items():
            if spec.group == group:
                metavar = f" {spec.metavar}".replace("|", "\\|") if spec.metavar else ""
                lines.append(
                    f"| `{flag(name)}{metavar}` | `{PREFIX}{name.upper()}` | {shown_default(name) or '-'} | {spec.help} |"
                )
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(docs_table())
