#!/usr/bin/env python3
"""Rust's part of CI: everything is built once, then the programs of the tests run without cargo.

    .ci/rust.py build
    .ci/rust.py test [--only PROGRAM] [ARGUMENT…]      the tests; arguments as behind `cargo test --`

cargo locks its folder while it compiles, and puts a program there that has what crates of the tests ask of others. So `build` makes the programs last, as they are
shipped, and nothing puts others in their place while tests run.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / ".cache" / "ci" / "programs.json"


def build():
    """Builds tests and programs; writes down where the tests are."""
    command = ["cargo", "test", "--locked", "--no-run", "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return done.returncode
    messages = map(json.loads, done.stdout.splitlines())
    tests = [(message["target"]["name"], message["executable"]) for message in messages if message.get("executable") and message["profile"]["test"]]
    LIST.parent.mkdir(parents=True, exist_ok=True)
    LIST.write_text(json.dumps(tests))
    return subprocess.run(["cargo", "build", "--locked"], cwd=ROOT, check=False).returncode


def test(only, arguments):
    """Runs the programs of the tests one after the other, to the first that fails."""
    programs = [(name, program) for name, program in json.loads(LIST.read_text()) if only in (None, name)]
    if not programs:
        sys.exit(f"there is no test program {only}")
    for name, program in programs:
        print(f"     Running {name} ({Path(program).relative_to(ROOT)})", flush=True)
        code = subprocess.run([program, *arguments], cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0


def main():
    """One of the two."""
    match sys.argv[1:]:
        case ["build"]:
            return build()
        case ["test", "--only", only, *arguments]:
            return test(only, arguments)
        case ["test", *arguments]:
            return test(None, arguments)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
