"""The agent under measurement: the release build, with the options that nobody gave left at their defaults."""

import calendar
import contextlib
import os
import re
import sys
import time
from pathlib import Path

from surroundings import ROOT, wait_for

sys.path.insert(1, str(ROOT / "tests" / "live"))
from agent import Agent  # noqa: E402

READING = re.compile(r"^(\S{19})(\.\d+)?Z info  reading ", re.MULTILINE)


class Measured(Agent):
    """One start. `began` and `reading_since` are epoch seconds: of the start of the process, and of the line that says that it begins to read."""

    began, reading_since = None, None

    def start(self, *more, **variables):
        self.began = time.time()
        super().start(*more, **variables)
        wait_for(lambda: READING.search(self.said()), f"the agent to read, see {self.log}", 60)
        whole, fraction = READING.search(self.said()).groups()
        self.reading_since = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(fraction or 0)
        return self

    def wait_until_finished(self, ends, seconds=300):
        """Until everything is published and deleted: it was started with --until-empty."""
        wait_for(lambda: not self.running, "the agent to publish everything", seconds)
        if self.process.returncode != 0:
            raise SystemExit(f"the agent ended with {self.process.returncode}: {self.said()[-2000:]}")
        wait_for(lambda: ends.seen and time.time() - ends.seen[-1][0] > 0.2, "the broker", 30)


@contextlib.contextmanager
def started(stack, folder, prefix, *options, cdc_raw=None):
    """A running agent with a state directory of its own; on a copy of `cdc_raw` it ends with it."""
    os.environ["CDC_AGENT_BIN"] = os.environ.get("CDC_AGENT_BIN", str(ROOT / "target" / "release" / "cdc-agent"))
    folder = Path(folder)
    (folder / "state").mkdir(parents=True)
    words = [
        "--cdc-raw", cdc_raw or stack.cdc_raw, "--state-dir", folder / "state", "--prefix", prefix, "--host-id", stack.host_id,
        "--cluster", stack.node["cluster"], "--dc", stack.node["dc"],
        "--bootstrap-servers", stack.servers, "--http-address", f"127.0.0.1:{stack.free_port()}", *options,
        *(["--schema", stack.schema, "--until-empty"] if cdc_raw else ["--cassandra-host", stack.node["host"], "--cassandra-port", stack.node["port"]]),
    ]  # fmt: skip
    agent = Measured(words, folder / "agent.log")
    try:
        agent.start()
        yield agent
        if agent.running and agent.stop() != 0:
            raise SystemExit(f"the agent ended with {agent.code}: {agent.said()[-2000:]}")
    finally:
        if agent.running:
            agent.kill()
