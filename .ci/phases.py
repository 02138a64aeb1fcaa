#!/usr/bin/env python3
"""The phases of `make test`, as many at once as two processors carry: most tests wait for a node, a broker or Flink most of their time.

    .ci/phases.py           all of them; ends with the exit code of the first one that failed
    .ci/phases.py NAME…     these alone; what they need must be there

What a phase says is printed when it ends. After a failure no further phase begins. The last lines are the seconds of each phase and how many passed.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / ".cache" / "ci"
RUST = [sys.executable, str(ROOT / ".ci" / "rust.py")]
SIMULATION = "each_write_is_published_once_whatever_fails"
# How many phases may use the same thing at once. `services`: real nodes, brokers, Flink clusters, which the processors must carry.
LIMITS = {"cargo": 1, "maven": 1, "services": 2}
# A phase that takes longer hangs; one that yields to the others gets what they leave.
SECONDS, YIELDING_SECONDS = 45 * 60, 75 * 60


@dataclasses.dataclass(frozen=True)
class Phase:
    """`after`: phases that must have passed before. `uses`: of LIMITS. `nice`: what yields to the others."""

    name: str
    command: list
    after: tuple = ()
    uses: tuple = ()
    nice: int = 0


def make(*words):
    """Targets of the Makefile, of which the programs are built already: cargo would wait for one that compiles something else."""
    return ["make", *words, "CARGO=true"]


def services(name, *words, after=("build", "fetch", "python")):
    """A phase that starts real services."""
    return Phase(name, make(*words), after, ("services",))


# In the order in which they begin where they may: the longest first.
PHASES = [
    Phase("build", [*RUST, "build"], uses=("cargo",)),
    Phase("fetch", ["make", "fetch"], uses=("maven",)),
    Phase("python", ["make", "test-oracle", "test-compose"]),
    # Its Java tests; makes the jar that the phases below take.
    Phase("flink", make("test-flink"), ("fetch",), ("services", "maven")),
    Phase("planner", make("test-planner"), ("build", "flink"), ("maven",)),
    services("submit", "test-submit", "SUBMIT=test_submit", after=("build", "python", "planner")),
    services("stack", "test-stack"),
    services("drift", "test-submit", "SUBMIT=test_drift", after=("build", "python", "planner")),
    services("generated", "test-submit", "SUBMIT=test_generated", after=("build", "python", "planner")),
    services("engines", "test-engines", "RECORDS=20000", after=("build", "python", "planner")),
    services("story", "test-story", after=("build", "python", "planner")),
    services("live", "test-live"),
    services("remediate", "test-jobs-remediate"),
    services("compare", "test-jobs-compare"),
    services("doctor", "test-doctor"),
    Phase("cql", [*RUST, "test", "--only", "it", "live_schema", "--ignored"], ("build", "fetch"), ("services",)),
    services("kafka", "test-kafka", f"RUST_TESTS={' '.join(RUST)} test --only it"),
    services("admin", "test-jobs-admin"),
    services("jobs", "test-jobs"),
    Phase("differential", make("test-differential"), ("build", "fetch"), ("maven",)),
    services("browser", "test-browser"),
    Phase("rust", [*RUST, "test", "--skip", SIMULATION], ("build",), nice=10),
    Phase("simulation", [*RUST, "test", "--only", "cdc_agent", SIMULATION], ("build",), nice=15),
    Phase("jobs-files", ["make", "validate-ci"], ("build",), ("cargo",)),
    Phase("lint", ["make", "lint"], ("build",), ("cargo",), nice=10),
    Phase("documentation", ["cargo", "test", "--locked", "--doc"], ("build",), ("cargo",), nice=10),
]


class Running:
    """A phase under way."""

    def __init__(self, phase):
        self.phase, self.began = phase, time.monotonic()
        LOGS.mkdir(parents=True, exist_ok=True)
        self.path = LOGS / f"{phase.name}.log"
        command = ["nice", "-n", str(phase.nice), *phase.command] if phase.nice else phase.command
        with self.path.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        # Where Linux shares processors out by sessions, nice counts within one alone.
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.process.pid}/autogroup").write_text(str(phase.nice))

    @property
    def seconds(self):
        """Since it began."""
        return time.monotonic() - self.began

    def code(self):
        """Its exit code; None while it goes on."""
        code = self.process.poll()
        if code is None and self.seconds > (YIELDING_SECONDS if self.phase.nice else SECONDS):
            self.end()
            return 124
        return code

    def end(self):
        """Ends it, and what it has started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(30)
                return
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                return

    def show(self):
        """Prints what it said."""
        print(self.path.read_text(errors="replace"), end="")


def say(text):
    """A line of this program."""
    print(f"=== {text}", flush=True)


def may_begin(phase, passed, chosen, running):
    """Whether all that it waits for has passed, and what it uses is free."""
    used = [thing for other in running for thing in other.phase.uses]
    needed = set(phase.after) & chosen
    return needed <= passed and all(used.count(thing) < LIMITS[thing] for thing in phase.uses)


def run(phases, begin=Running):
    """Runs phases; returns (name → seconds of those that passed, (name, exit code) of those that failed)."""
    waiting, running, passed, failed = list(phases), [], {}, []
    chosen = {phase.name for phase in phases}
    try:
        while running or (waiting and not failed):
            for phase in list(waiting):
                if not failed and may_begin(phase, passed.keys(), chosen, running):
                    waiting.remove(phase)
                    running.append(begin(phase))
                    say(f"{phase.name} begins")
            for one in [one for one in running if one.code() is not None]:
                running.remove(one)
                code = one.code()
                one.show()
                say(f"{one.phase.name}: {'passed' if code == 0 else f'FAILED with exit code {code}'} after {one.seconds:.0f} s")
                if code == 0:
                    passed[one.phase.name] = one.seconds
                else:
                    failed.append((one.phase.name, code))
            if running:
                time.sleep(0.1)
            elif waiting and not any(may_begin(phase, passed.keys(), chosen, running) for phase in waiting) and not failed:
                raise ValueError(f"these wait for each other: {[phase.name for phase in waiting]}")
    finally:
        for one in running:
            one.end()
    return passed, failed


def main(names):
    """All phases, or those with these names."""
    unknown = set(names) - {phase.name for phase in PHASES}
    if unknown:
        sys.exit(f"no such phase: {', '.join(sorted(unknown))}; known: {', '.join(phase.name for phase in PHASES)}")
    began = time.monotonic()
    phases = [phase for phase in PHASES if not names or phase.name in names]
    passed, failed = run(phases)
    for name, code in failed:
        say(f"{name} FAILED with exit code {code}; what it said is above, and in {LOGS / name}.log")
    seconds = ", ".join(f"{name} {seconds:.0f}" for name, seconds in sorted(passed.items(), key=lambda found: -found[1]))
    say(f"seconds: {seconds}; {time.monotonic() - began:.0f} from the first to the last")
    print(f"phases: {len(passed)} passed, {len(failed)} failed, {len(phases) - len(passed) - len(failed)} skipped", flush=True)
    return failed[0][1] if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
