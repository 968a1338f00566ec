"""What is measured, one task after another, and the row that comes of each."""

import dataclasses
import signal
from collections.abc import Callable

from . import manners, rivals, verdict
from .bare import Bare
from .load import Load, account
from .remuda import STORMS, Remuda

WORKERS = 3
MODES = ("shared", "per-worker")
REPEATED_ENDS = 60

# What `--full` asks for: how often a storm does what it does, and about how long each time takes on two cores. A
# `scale` goes up and down again, so these are 100 changes.
FULL = {"reload": (200, 1.2), "kill": (200, 0.6), "scale": (50, 1.3), "upgrade": (300, 0.1), "crash": (50, 0.25)}
FULL_WORKERS = 4
FULL_PEERS = ("gunicorn sync", "node")


@dataclasses.dataclass(frozen=True)
class Task:
    """`work(seed)` measures and returns figures; `about` says of what."""

    about: dict
    work: Callable[[int], dict]

    def __str__(self):
        return " ".join(map(str, self.about.values()))


class Plan:
    """The tasks of one round with `new` and `kept` clients and `actions` repetitions of what a storm does."""

    def __init__(self, options, programs, contenders):
        self.options = options
        self.programs = programs
        self.contenders = contenders

    def round(self):
        """The tasks that every round has."""
        tasks = []
        told = any(storm not in verdict.UNTOLD for storm in self.options.storm)
        for program in self.programs:
            # What a program loses when it is told to stop excuses nothing where none is.
            if told or self.options.once:
                tasks.append(self.by_hand(program))
            if any(each is Remuda for each in self.contenders):
                tasks += [self.storm(program, mode, storm) for mode, storm in self.storms()]
        return tasks + [self.rival(each) for each in self.contenders if each is not Remuda]

    def storms(self):
        """Every mode with every storm of it. In full, single workers are killed where each has its own queue."""
        asked = [(mode, storm) for mode in self.options.mode for storm in self.options.storm]
        return [each for each in asked if not (self.options.full and each == ("shared", "kill"))]

    def times(self, storm):
        """How often a storm does what it does."""
        return FULL[storm][0] if self.options.full else self.options.actions

    def seconds(self):
        """About how long a round of storms takes."""
        return len(self.programs) * sum(FULL[storm][0] * FULL[storm][1] for _, storm in self.storms())

    def once(self):
        """What is looked at once: the manners of every program, and its losses by signals other than TERM."""
        tasks = []
        for program in self.programs:
            for name in manners.SIGNALS:
                about = {"kind": "manners", "program": program.name, "signal": name}
                tasks.append(Task(about, lambda _, p=program, n=name: manners.observe(p, n)))
                if name != "TERM":
                    tasks.append(self.by_hand(program, name))
        return tasks

    def by_hand(self, program, name="TERM", actions=None):
        """What the program loses by itself when successors serve before it is told to stop."""
        times = actions or self.options.actions

        def work(seed):
            with Bare(program, self.options.workers) as stage, self._load(stage, seed) as load:
                for _ in range(times):
                    stage.replace_all(getattr(signal, f"SIG{name}"))
                return account(load.finish()) | {"ended": times * self.options.workers, "hung": stage.hung}

        return Task({"kind": "by hand", "program": program.name, "signal": name}, work)

    def storm(self, program, mode, storm):
        """One storm over Remuda."""
        act, count, settings = STORMS[storm]

        def work(seed):
            stage = Remuda(self.options.remuda, program, mode, count or self.options.workers, settings)
            with stage, self._load(stage, seed) as load:
                kills = act(stage, self.times(storm)) or ()
                figures = account(load.finish(), kills)
                ports = sorted(set().union(*(kill.ports for kill in kills)))
                return figures | stage.figures | {"ended": stage.workers_begun() - stage.count, "killed_ports": ports}

        return Task({"kind": "storm", "program": program.name, "mode": mode, "storm": storm}, work)

    def rival(self, contender):
        """The reload storm over another supervisor."""

        def work(seed):
            with contender(self.options.workers) as stage, self._load(stage, seed) as load:
                for _ in range(self.options.actions):
                    stage.replace()
                return account(load.finish()) | {"ended": self.options.actions * self.options.workers}

        return Task({"kind": "rival", "contender": contender.name}, work)

    def _load(self, stage, seed):
        return Load(stage.address, self.options.new, self.options.kept, seed)


def repeated(plan, name):
    """The measurement by hand over again, with more workers, for a program that is under suspicion."""
    program = next(each for each in plan.programs if each.name == name)
    return plan.by_hand(program, actions=max(1, REPEATED_ENDS // plan.options.workers))


def all_contenders():
    """Remuda and its rivals by the names `--only` knows."""
    return {"remuda": Remuda} | {each.key: each for each in rivals.ALL}
