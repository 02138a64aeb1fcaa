"""The memory of a process, sampled while it runs."""

import threading
import time

SAMPLE_SECONDS = 0.02


class Memory:
    """The most anonymous memory (RssAnon) of a process, sampled while it runs."""

    def __init__(self, pid):
        self.peak_kib = 0
        self._status = f"/proc/{pid}/status"
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while True:
            try:
                with open(self._status, encoding="ascii") as status:
                    lines = [line for line in status if line.startswith("RssAnon:")]
            except (FileNotFoundError, ProcessLookupError):
                return
            if lines:
                self.peak_kib = max(self.peak_kib, int(lines[0].split()[1]))
            time.sleep(SAMPLE_SECONDS)
