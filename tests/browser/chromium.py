"""Finds chromium and chromedriver, or takes Debian's packages into a folder of the checks' own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "chromium"
PACKAGES = ["chromium", "chromium-driver"]


class NoChromium(Exception):
    """There is none, and none can be had."""


class Chromium:
    """Where the two programs are, and the environment that they need."""

    def __init__(self, root):
        self.root = root
        if root is None:
            self.browser, self.driver = shutil.which("chromium"), shutil.which("chromedriver")
        else:
            self.browser = str(root / "usr/lib/chromium/chromium")
            self.driver = str(root / "usr/bin/chromedriver")

    def environment(self):
        """With the libraries that came with them."""
        if self.root is None:
            return dict(os.environ)
        folders = sorted({str(path.parent) for path in self.root.glob("usr/lib/**/*.so*")})
        return dict(os.environ, LD_LIBRARY_PATH=":".join(folders))


def found():
    """Chromium of this machine, or of the checks' folder; takes it there when there is none."""
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return Chromium(None)
    if not (FOLDER / ".done").exists():
        _take()
    return Chromium(FOLDER)


def _take():
    """Everything that apt would install, unpacked into a folder instead: neither needs root nor changes the machine."""
    if not shutil.which("apt-get"):
        raise NoChromium("no chromium and chromedriver here, nor apt-get to fetch Debian's: install them")
    shutil.rmtree(FOLDER, ignore_errors=True)
    archives = FOLDER / "archives"
    archives.mkdir(parents=True)
    plan = _run("apt-get", "install", "--simulate", "--no-install-recommends", *PACKAGES)
    # "Inst name [installed version] (version ...": exactly what is missing on this machine.
    wanted = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", plan, re.MULTILINE)
    _run("apt-get", "download", *(f"{name}={version}" for name, version in wanted), folder=archives)
    for archive in sorted(archives.glob("*.deb")):
        _run("dpkg-deb", "--extract", str(archive), str(FOLDER))
    shutil.rmtree(archives)
    (FOLDER / ".done").touch()


def _run(*words, folder=None):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise NoChromium(f"{' '.join(words[:2])} failed (run apt-get update first?): {done.stderr.strip()}")
    return done.stdout
