"""The status page in a real browser, and the metrics as Prometheus' own parser reads them. `make test-browser`."""

import json
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(Path(__file__).resolve().parent))
import chromium

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".cache" / "browser"
HOSTILE = "<img src=x onerror=\"document.title='taken over'\">"


class Agent:
    """The made-up agent of serve.rs."""

    def __init__(self):
        program = subprocess.run(
            ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, capture_output=True, check=True
        )
        target = Path(json.loads(program.stdout)["target_directory"])
        self.process = subprocess.Popen(
            [target / "debug/examples/status-page"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = "http://" + self.process.stdout.readline().strip()

    def do(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n", "the agent of the test ended"

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            return answer.read().decode()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def browser(dark=False):
    """A window of its own; fails when there is no chromium, for then nothing was looked at."""
    there = chromium.found()
    options = webdriver.ChromeOptions()
    options.binary_location = there.browser
    for word in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1200,1500"]:
        options.add_argument(word)
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=there.driver, env=there.environment())
    return webdriver.Chrome(options=options, service=service)


class PageTest(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.addCleanup(self.agent.close)
        self.agent.do("work")

    def open(self, **options):
        self.page = browser(**options)
        self.addCleanup(self.page.quit)
        self.page.get(self.agent.address)

    def text(self, name):
        return self.page.find_element(By.ID, name).text

    def wait(self, name, expected):
        WebDriverWait(self.page, 20).until(lambda _: expected in self.text(name), f"{name} without {expected!r}")

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.save_screenshot(str(SHOTS / f"{name}.png"))

    def complaints(self):
        return [line["message"] for line in self.page.get_log("browser") if line["level"] == "SEVERE"]

    def test_it_tells_the_truth_while_it_changes(self):
        self.open()
        self.wait("headline", "everything is read and committed")
        self.assertEqual(self.text("lag"), "0\u00a0s".replace("\u00a0", " "))
        # 400 to 699 inserts, 12 updates, one delete a second.
        self.assertRegex(self.text("rate"), r"^[4-7]\d\d$")
        self.assertIn("sales.events", self.text("tables"))
        self.assertEqual(self.text("loss-none"), "Nothing is lost, nothing waits.")
        self.assertIn("M", self.page.find_element(By.CSS_SELECTOR, "#plot-events .line").get_attribute("d"))
        self.shot("ok")
        self.agent.do("lose")
        self.wait("loss", "3 in 2 partitions")
        self.wait("entries", "1798761600002:1048576")
        self.wait("headline", "3 parked mutations")
        self.agent.do("stall")
        self.wait("headline", "Stalled: nothing was committed for 1 min")
        self.shot("stalled")
        self.assertEqual(self.complaints(), [], "the page's own policy forbids nothing that it does")
        self.agent.do("leave")
        self.wait("stale", "The agent cannot be reached")
        self.wait("headline", "not known")
        self.shot("gone")

    def test_snapshots_are_shown_while_they_last(self):
        self.open()
        self.wait("headline", "everything is read and committed")
        self.assertFalse(self.page.find_element(By.ID, "snapshots-box").is_displayed())
        self.agent.do("snapshot")
        self.wait("snapshots", "waiting for log 12,345 37.5 %")
        self.wait("snapshots", "retrying 0 the node does not answer")
        self.shot("snapshots")
        self.agent.do("end")
        WebDriverWait(self.page, 20).until(lambda page: not page.find_element(By.ID, "snapshots-box").is_displayed())

    def test_texts_stay_texts(self):
        self.agent.do("lose")
        self.open()
        self.wait("errors", HOSTILE)
        self.assertIn(HOSTILE, self.text("tables"))
        self.assertEqual(self.page.find_elements(By.TAG_NAME, "img"), [])
        self.assertNotIn("taken over", self.page.title)

    def test_it_is_dark_where_that_is_wanted_and_fits_a_small_window(self):
        self.open(dark=True)
        self.wait("headline", "everything is read and committed")
        self.shot("dark")
        color = self.page.execute_script("return getComputedStyle(document.body).backgroundColor")
        self.assertEqual(color, "rgb(15, 18, 22)")
        self.page.set_window_size(500, 900)
        wide = self.page.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        self.assertLessEqual(wide, 0, "nothing sticks out")
        self.shot("narrow")


class MetricsTest(unittest.TestCase):
    def test_prometheus_reads_them(self):
        agent = Agent()
        self.addCleanup(agent.close)
        agent.do("work")
        agent.do("lose")
        families = {family.name: family for family in text_string_to_metric_families(agent.get("/metrics"))}
        events = {
            (sample.labels["table"], sample.labels["op"]): sample.value for sample in families["cdc_events"].samples
        }
        self.assertEqual(events["sales.users", "u"], 300 * 12)
        self.assertEqual(events[HOSTILE, "d"], 300)
        self.assertEqual(families["cdc_txn_commit_seconds"].type, "histogram")
        values = {family.name: family.samples[0].value for family in families.values() if len(family.samples) == 1}
        self.assertEqual(values["cdc_parked_mutations"], 3)
        self.assertEqual(values["cdc_corrupt_sections"], 1)
        self.assertEqual(values["cdc_raw_quota_bytes"], 4 << 30)
        described = (ROOT / "docs/metrics.md").read_text()
        for family in families.values():
            name = family.name + ("_total" if family.type == "counter" else "")
            self.assertIn(f"`{name}`", described)
            self.assertTrue(family.documentation, name)


if __name__ == "__main__":
    unittest.main()
