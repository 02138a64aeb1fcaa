"""The files of deploy/: what can be checked of them without an engine, a cluster or root."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(ROOT / "compose" / "native"))

import description  # noqa: E402
from plan import Plan  # noqa: E402

VERSION = "1.31"  # of Kubernetes
UNIT = (DEPLOY / "cdc-agent.service").read_text()
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "k8ssandra.yaml").read_text()))
CASSANDRA = OBJECTS[2]["spec"]["cassandra"]
(SIDECAR,) = CASSANDRA["containers"]


def keys():
    """The keys of the configuration file, where the program defines them."""
    texts = [path.read_text() for path in (ROOT / "src" / "cli").glob("*.rs")]
    return {name for text in texts for names in re.findall(r'id = "(\w+)"|^    pub (\w+):', text, re.MULTILINE) for name in names}


class Datadog(unittest.TestCase):
    """deploy/datadog against the stack of `make up`."""

    def test_it_reads_the_agents_and_task_managers_of_the_stack(self):
        file = yaml.safe_load((DEPLOY / "datadog" / "openmetrics.d" / "conf.yaml").read_text())
        asked = {}
        for instance in file["instances"]:
            (first,) = instance["metrics"][0]
            asked.setdefault(first.split("_")[0], []).append(instance["openmetrics_endpoint"])
        entries = Plan.of(ROOT / "nowhere", description.described()).known["services"]
        urls = lambda kind, option: [f"http://127.0.0.1:{entry[option]}/metrics" for entry in entries if entry["kind"] == kind]
        self.assertEqual(asked["flink"], urls("taskmanager", "port"))
        self.assertLessEqual(set(asked["cdc"]), set(urls("agent", "http_port")))

    def test_every_task_manager_is_asked_for_the_same(self):
        file = yaml.safe_load((DEPLOY / "datadog" / "openmetrics.d" / "conf.yaml").read_text())
        metrics = [one["metrics"] for one in file["instances"] if next(iter(one["metrics"][0])).startswith("flink_")]
        self.assertGreater(len(metrics), 1)
        self.assertTrue(all(one == metrics[0] for one in metrics))


class Kubernetes(unittest.TestCase):
    def test_objects_are_what_kubernetes_allows(self):
        for found in OBJECTS[:2]:
            kubernetes_validate.validate(found, VERSION, strict=True)

    def test_the_sidecar_is_a_container_of_a_valid_pod(self):
        volumes = [*CASSANDRA["extraVolumes"]["volumes"], {"name": "server-data", "emptyDir": {}}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [SIDECAR], "volumes": volumes}}
        kubernetes_validate.validate(pod, VERSION, strict=True)
        mounted = {mount["name"] for mount in SIDECAR["volumeMounts"]}
        self.assertEqual(mounted, {volume["name"] for volume in volumes})
        with self.assertRaises(kubernetes_validate.ValidationError):
            broken = {**pod, "spec": {**pod["spec"], "containers": [{**SIDECAR, "imag": "x"}]}}
            kubernetes_validate.validate(broken, VERSION, strict=True)

    def test_its_configuration_names_known_keys_and_mounted_files(self):
        options = tomllib.loads(OBJECTS[0]["data"]["agent.toml"])
        self.assertEqual(set(options) - keys(), set())
        for path in (options[key] for key in options if key.endswith("_file")):
            self.assertIn(Path(path).name, OBJECTS[1]["stringData"])
        raw = CASSANDRA["config"]["cassandraYaml"]["cdc_raw_directory"]
        self.assertIn(raw, [mount["mountPath"] for mount in SIDECAR["volumeMounts"]])

    def test_it_has_no_rights_that_it_does_not_need(self):
        context = SIDECAR["securityContext"]
        self.assertTrue(context["runAsNonRoot"] and context["readOnlyRootFilesystem"])
        self.assertEqual((context["allowPrivilegeEscalation"], context["capabilities"]), (False, {"drop": ["ALL"]}))
        self.assertNotIn("readinessProbe", SIDECAR)

    def test_it_is_asked_whether_it_lives(self):
        dockerfile = (DEPLOY / "Dockerfile").read_text()
        probe = ["/usr/local/bin/cdc-agent", "status", "--live"]
        found = re.search(r"^HEALTHCHECK .*\\\n    CMD (\[.*\])$", dockerfile, re.MULTILINE)
        self.assertEqual(json.loads(found[1]), probe)
        command = SIDECAR["livenessProbe"]["exec"]["command"]
        self.assertEqual(command, [*probe, *SIDECAR["args"][1:]])


class Systemd(unittest.TestCase):
    def test_a_configuration_that_is_wrong_is_not_tried_again(self):
        self.assertIn("\nRestart=on-failure\n", UNIT)
        self.assertIn("\nRestartPreventExitStatus=2 7\n", UNIT)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_understands_it_and_calls_it_safe(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "cdc-agent.service"
            unit.write_text(UNIT.replace("/usr/bin/cdc-agent", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])


def included():
    """The files outside src/ that the program is built from."""
    for source in (ROOT / "src").rglob("*.rs"):
        if {"fuzzing", "tests", "tests.rs"} & set(source.parts):
            continue
        code = source.read_text().split("#[cfg(test)]\n")[0]
        for name in re.findall(r'include_(?:str|bytes)!\(\s*"(\.\./[^"]+)"', code):
            path = (source.parent / name).resolve().relative_to(ROOT)
            if path.parts[0] != "src":
                yield path


class Image(unittest.TestCase):
    def test_it_is_built_with_every_file_that_the_program_carries(self):
        copied = re.findall(r"^COPY (\S+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
        sent = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
        paths = list(included())
        self.assertGreater(len(paths), 3)
        for path in paths:
            names = {str(path), *map(str, path.parents)}
            self.assertTrue(names & set(copied) and names & set(sent), path)

    def test_hadolint_finds_nothing(self):
        hadolint = Path(shutil.which("hadolint", path=PATH))
        done = subprocess.run([hadolint, *DEPLOY.glob("*Dockerfile")], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_they_are_built_from_what_the_build_context_has(self):
        for dockerfile in ("Dockerfile", "flink.Dockerfile"):
            text = (DEPLOY / dockerfile).read_text()
            ignored = (DEPLOY / f"{dockerfile}.dockerignore").read_text().splitlines()
            allowed = [line[1:] for line in ignored if line.startswith("!")]
            copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
            self.assertEqual({name for names in copied for name in names}, set(allowed))
            self.assertEqual(len(set(allowed)), len(allowed))
            for name in allowed:
                self.assertTrue((ROOT / name).exists(), name)

    def test_its_compiler_is_the_one_of_the_project(self):
        channel = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
        self.assertIn(f"FROM rust:{channel}-", (DEPLOY / "Dockerfile").read_text())


PATH = str(ROOT / ".cache" / "venv" / "bin")

if __name__ == "__main__":
    unittest.main()
