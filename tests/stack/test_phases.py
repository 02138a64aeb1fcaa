"""The phases of CI: what waits for what, what a failure does, and that every test is in one of them."""

import contextlib
import importlib.util
import io
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("phases", ROOT / ".ci" / "phases.py")
phases = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(phases)
Phase = phases.Phase
# Targets that take too long, or need an idle machine.
BY_HAND = {"test-faults", "test-e2e", "test-verdicts"}


class Fake:
    """A phase under way: it ends when it was asked three times, with the code of its command."""

    begun = []

    def __init__(self, phase):
        self.phase, self.asked, self.seconds = phase, 0, 1
        Fake.begun.append((phase.name, {one.phase.name for one in Fake.now}))
        Fake.now.append(self)

    now = []

    def code(self):
        self.asked += 1
        if self.asked < 3:
            return None
        if self in Fake.now:
            Fake.now.remove(self)
        return self.phase.command[0]

    def show(self):
        pass

    end = show


def run(*given):
    """(names in the order of their beginnings → what ran then, what passed, what failed)."""
    Fake.begun, Fake.now = [], []
    with contextlib.redirect_stdout(io.StringIO()):
        passed, failed = phases.run(given, Fake)
    return dict(Fake.begun), set(passed), failed


class Running(unittest.TestCase):
    def test_a_phase_waits_for_those_that_it_needs(self):
        begun, passed, _ = run(Phase("second", [0], after=("first",)), Phase("first", [0]), Phase("beside", [0]))
        self.assertEqual(begun, {"first": set(), "beside": {"first"}, "second": set()})
        self.assertEqual(passed, {"first", "second", "beside"})

    def test_no_more_run_at_once_than_may_use_a_thing(self):
        begun, passed, _ = run(*(Phase(str(number), [0], uses=("services",)) for number in range(5)), Phase("other", [0]))
        self.assertEqual(len(passed), 6)
        self.assertEqual(max(len(beside - {"other"}) for name, beside in begun.items() if name != "other"), phases.LIMITS["services"] - 1)

    def test_after_a_failure_nothing_begins_and_what_runs_ends(self):
        begun, passed, failed = run(Phase("wrong", [5]), Phase("beside", [0]), Phase("later", [0], after=("beside",)))
        self.assertEqual((set(begun), passed, failed), ({"wrong", "beside"}, {"beside"}, [("wrong", 5)]))

    def test_phases_that_wait_for_each_other_are_told(self):
        with self.assertRaisesRegex(ValueError, "wait for each other"):
            run(Phase("one", [0], after=("two",)), Phase("two", [0], after=("one",)))

    def test_a_phase_alone_needs_no_other(self):
        self.assertEqual(run(Phase("alone", [0], after=("nowhere",)))[1], {"alone"})

    def test_programs_say_how_they_ended(self):
        with contextlib.redirect_stdout(io.StringIO()) as told:
            passed, failed = phases.run([Phase("good", ["echo", "hello"]), Phase("bad", ["sh", "-c", "exit 3"], nice=5)])
        self.assertEqual((set(passed), failed), ({"good"}, [("bad", 3)]))
        self.assertIn("hello\n=== good: passed after", told.getvalue())


class Phases(unittest.TestCase):
    def test_they_can_all_run(self):
        names = [phase.name for phase in phases.PHASES]
        self.assertEqual(len(set(names)), len(names))
        done = set()
        for phase in sorted(phases.PHASES, key=lambda phase: len(phase.after)):
            self.assertLessEqual(set(phase.after), set(names))
            self.assertLessEqual(set(phase.uses), set(phases.LIMITS))
            done.add(phase.name)
        _, passed, _ = run(*(Phase(phase.name, [0], phase.after, phase.uses) for phase in phases.PHASES))
        self.assertEqual(passed, set(names))

    def test_every_target_with_tests_is_in_one(self):
        targets = set(re.findall(r"^(test-[a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        words = {word for phase in phases.PHASES for word in phase.command}
        of_cargo = {"test-cql"}
        self.assertEqual(targets - words - of_cargo, BY_HAND)
        submitted = {word.split("=")[1] for word in words if word.startswith("SUBMIT=")}
        self.assertEqual(submitted, {path.stem for path in (ROOT / "tests" / "flink").glob("test_*.py")})

    def test_the_simulation_is_left_out_once_and_run_once(self):
        commands = [phase.command for phase in phases.PHASES if phases.SIMULATION in phase.command]
        self.assertEqual([command[command.index(phases.SIMULATION) - 1] for command in commands], ["--skip", "cdc_agent"])
        found = "".join(path.read_text() for path in (ROOT / "src" / "agent" / "run" / "tests").glob("*.rs"))
        self.assertIn(f"fn {phases.SIMULATION}_0()", found)


if __name__ == "__main__":
    unittest.main()
