"""What breaks. Each scenario starts nodes, breaks something at moments that the dice choose, and has the crawl go on."""

from __future__ import annotations

import os
import signal
import time

from interfaces.demo.dice import Dice
from tests.chaos.fleet import TTL, Fleet, Node
from tests.chaos.trial import Scenario
from tests.chaos.web import HOSTS

ASKS = 420  # about, in a crawl of the web
PASSAGES = {  # of each step, in any crawl of the web
    "lease": 4, "fetched": 100, "rules": len(HOSTS), "stored": 100, "complete": 20, "completed": 20, "release": 4,
}  # fmt: skip
HELD = TTL / 3  # s that leases hold at least without a store: they are renewed when they have twice as much left
SHIFTED = ("-m", "tests.chaos.shifted")


def calm(nodes: int) -> Scenario:
    """Nothing breaks."""
    return lambda fleet: fleet.begin(nodes)


def kills(nodes: int, strikes: int, dice: Dice) -> Scenario:
    """kill -9 of any node, several times in a crawl; another takes its place."""

    def scenario(fleet: Fleet) -> None:
        fleet.begin(nodes)
        for asks in sorted(5 + dice.below(ASKS - 40) for _ in range(strikes)):
            if not fleet.until(asks):
                return
            victim = dice.pick(fleet.alive)
            fleet.kill(victim, dice.below(60))
            _replace(fleet, victim, dice)

    return scenario


def crash(nodes: int, step: str, dice: Dice) -> Scenario:
    """The node that leads ends itself at a named step (:mod:`crawler.crash`); another takes its place."""

    def scenario(fleet: Fleet) -> None:
        fleet.begin(nodes, crash_at=f"{step}:{1 + dice.below(PASSAGES[step] // nodes)}")
        victim = fleet.alive[0]
        fleet.wait(lambda: victim not in fleet.alive, f"nobody came to {step}")
        if not fleet.kills:
            raise RuntimeError(f"nobody ever came to {step}")
        _replace(fleet, victim, dice)

    return scenario


def freeze(nodes: int, step: str, dice: Dice) -> Scenario:
    """A node stops at a step for twice its leases' time, then goes on as if nothing had been."""

    def scenario(fleet: Fleet) -> None:
        fleet.begin(nodes, crash_at=f"{step}:{1 + dice.below(PASSAGES[step] // nodes)}:STOP")
        frozen = fleet.alive[0]
        if not fleet.wait(lambda: frozen.is_stopped, f"nobody came to {step}"):
            raise RuntimeError(f"nobody ever came to {step}")
        thaws = time.monotonic() + 2 * TTL
        while time.monotonic() < thaws:
            fleet.look()
            time.sleep(0.05)
        frozen.process.send_signal(signal.SIGCONT)

    return scenario


def terminate(nodes: int, dice: Dice) -> Scenario:
    """SIGTERM to every node, and on with the same command."""

    def scenario(fleet: Fleet) -> None:
        fleet.begin(nodes)
        if fleet.until(5 + dice.below(ASKS - 60)):
            fleet.tell_to_stop()

    return scenario


def jump(nodes: int, seconds: float, dice: Dice) -> Scenario:
    """The wall clock of the machine is set forward or back while its nodes are at work."""

    def scenario(fleet: Fleet) -> None:
        shift = fleet.ground.folder / "shift"
        fleet.begin(nodes, python=(*SHIFTED, str(shift)))
        if fleet.until(20 + dice.below(ASKS - 100)):
            shift.write_text(str(seconds))

    return scenario


def skew(nodes: int, dice: Dice) -> Scenario:
    """Every node has a wall clock of its own: an hour off, a day back."""

    def scenario(fleet: Fleet) -> None:
        for number in range(nodes):
            shift = fleet.ground.folder / f"shift-{number}"
            shift.write_text(str((3600, -86400, -3600, 0)[number]))
            fleet.start(leads=not number, python=(*SHIFTED, str(shift)))
            fleet.until(1)
        if fleet.until(20 + dice.below(ASKS - 100)):
            victim = dice.pick(fleet.alive)
            fleet.kill(victim)
            _replace(fleet, victim, dice)

    return scenario


def outage(nodes: int, most: float, dice: Dice) -> Scenario:
    """Redis is killed, and back after at most so many seconds. Leases run out meanwhile if that is long."""

    def scenario(fleet: Fleet) -> None:
        redis = fleet.ground.redis
        assert redis is not None
        fleet.begin(nodes)
        fleet.joined()  # who starts while Redis is away says so and ends
        if fleet.until(5 + dice.below(ASKS - 60)):
            away = most * dice.below(1000) / 1000
            for node in fleet.alive if away > HELD else ():
                fleet.struck(node.name)  # what it had under way
            redis.kill()
            time.sleep(away)
            redis.start()

    return scenario


def cut(nodes: int, most: int, dice: Dice) -> Scenario:
    """Redis is killed and loses at most so many bytes of what it had written last; ``linkatlas reconcile`` makes it good."""

    def scenario(fleet: Fleet) -> None:
        redis = fleet.ground.redis
        assert redis is not None
        fleet.excused = True
        fleet.begin(nodes)
        fleet.until(30 + dice.below(ASKS - 60))
        redis.kill()
        killed = time.monotonic()
        (tail,) = redis.folder.glob("appendonlydir/*.incr.aof")
        size = tail.stat().st_size
        os.truncate(tail, size - dice.below(min(most, size)))
        redis.start()
        fleet.blind = (killed, time.monotonic() + TTL)  # until the leases that it forgot have run out
        for node in fleet.alive:  # the frontier forgot what they had visited
            fleet.struck(node.name, ASKS)
        fleet.run("reconcile")

    return scenario


def _replace(fleet: Fleet, victim: Node, dice: Dice) -> None:
    time.sleep(dice.below(100) / 100)
    fleet.look()
    if victim not in fleet.alive:  # else it had lost a worker, and goes on
        fleet.start(leads=victim.leads)
