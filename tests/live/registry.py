"""The list of scenarios."""

from dataclasses import dataclass, field

SMALL = ("onprem.commitlog_segment_size=1MiB", "onprem.cdc_total_space=256MiB", "onprem.commitlog_sync_period=1s")


@dataclass
class Scenario:
    """A fault, what is promised under it, and what a node it needs."""

    name: str
    run: object
    promise: str
    kinds: tuple = ("kafka",)
    settings: tuple = SMALL
    options: tuple = ()
    short: bool = False
    # Runs only by its name.
    long: bool = False
    # The node is in a state afterwards that the next scenario should not begin with.
    spoils: bool = False
    needs: tuple = field(default_factory=tuple)


SCENARIOS = {}


def scenario(name, promise, **more):
    """Registers a function of a Case, which gives a Verdict, as a scenario."""

    def register(function):
        assert name not in SCENARIOS, name
        SCENARIOS[name] = Scenario(name, function, promise, **more)
        return function

    return register
