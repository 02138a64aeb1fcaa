"""How `run` reaches brokers: every protocol and mechanism, what it says when one thing about it is wrong, and tokens that expire."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

import records
import segments

FIXTURE = Path(__file__).resolve().parents[2] / "cdc_fixtures" / "4.1-none"
LISTENERS = ["SSL", "MUTUAL_SSL", "SASL_PLAINTEXT", "SASL_SSL"]
# A session lasts no longer than its token.
SETTINGS = ["connections.max.reauth.ms=3600000"]
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
TABLE = "rows.simple"
KEY_PASSWORD = "of-the-key"
WRONG = "not-it"
HOST_ID = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47"
FIRST = 900_000


class Secrets:
    """Files with what agents show brokers, good ones and wrong ones, by name."""

    def __init__(self, run):
        self.folder, self.access, self.broker = run.folder / "secrets", run.broker.access, run.broker
        self.folder.mkdir(exist_ok=True)
        store = ["pkcs12", "-in", self.access["tls"]["keystore"], "-passin", f"pass:{self.access['tls']['password']}"]
        self.openssl(*store, "-nokeys", "-clcerts", "-out", self.path("certificate"))
        self.openssl(*store, "-nocerts", "-noenc", "-out", self.path("key"))
        self.openssl(*store, "-nocerts", "-passout", f"pass:{KEY_PASSWORD}", "-out", self.path("locked"))
        other = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", self.path("other-key")]
        self.openssl("req", "-x509", *other, "-out", self.path("other"))
        for name, text in (("key-password", KEY_PASSWORD), ("password", self.access["sasl"]["password"]), ("wrong", WRONG)):
            self.path(name).write_text(text + "\n")
        for name, text in (("token", self.broker.token()), ("expired", self.broker.token(-60)), ("garbage", WRONG)):
            self.path(name).write_text(text)
        # Good but for the broker, which wants none that is signed.
        self.path("signed").write_text(self.broker.token() + "c2lnbmVk")

    def openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def path(self, name):
        return self.folder / name

    @property
    def trusted(self):
        return ["--ssl-ca-file", self.access["tls"]["ca"]]

    def certificate(self, certificate="certificate", key="key"):
        return [*self.trusted, "--ssl-certificate-file", self.path(certificate), "--ssl-key-file", self.path(key)]

    def sasl(self, mechanism, secret=None):
        """`secret`: the name of the file, if it is not the good one."""
        if mechanism == "OAUTHBEARER":
            return ["--sasl-mechanism", mechanism, "--oauth-token-file", self.path(secret or "token")]
        user = ["--sasl-username", self.access["sasl"]["user"], "--sasl-password-file", self.path(secret or "password")]
        return ["--sasl-mechanism", mechanism, *user]

    def unsaid(self, said):
        """Checks that no secret is in what somebody said."""
        for secret in (self.access["sasl"]["password"], KEY_PASSWORD, WRONG, *(self.path(name).read_text() for name in ("token", "expired"))):
            assert secret not in said, said


class Agent:
    """`cdc-agent run` on a folder of its own with copies of a segment, for one table."""

    def __init__(self, run, prefix, listener, *options, port_of=None):
        self.folder, self.environment = run.folder / prefix, run.environment
        (self.folder / "cdc_raw").mkdir(parents=True)
        protocol = "ssl" if listener == "MUTUAL_SSL" else listener.lower()
        words = [
            run.agent, "run", "--cdc-raw", self.folder / "cdc_raw", "--state-dir", self.folder / "state", "--schema", FIXTURE / "schema.json",
            "--host-id", HOST_ID, "--cluster", "test", "--dc", "test", "--http=false", "--table", TABLE, "--prefix", prefix,
            "--bootstrap-servers", run.broker.listeners[port_of or listener], "--security-protocol", protocol, *options,
        ]  # fmt: skip
        self.words, self.log = [str(word) for word in words], self.folder / "agent.log"
        self.process = None

    def write(self, number):
        """A finished segment."""
        (source,) = FIXTURE.glob("*.log")
        for name, text in segments.copies(source.read_bytes(), FIRST + number, 1).items():
            (self.folder / "cdc_raw" / name).write_bytes(text)
            (self.folder / "cdc_raw" / name.replace(".log", "_cdc.idx")).write_text(f"{len(text)}\nCOMPLETED")
        return self

    def start(self, *more):
        with self.log.open("a") as log:
            self.process = subprocess.Popen([*self.words, *more], env=self.environment, stderr=log, stdout=log)
        return self

    def said(self):
        return self.log.read_text()

    def ends(self, code, seconds=60):
        """Waits until it has ended with this code; what it said."""
        try:
            ended = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            ended = "none"
        assert ended == code, f"exit code {ended}: {self.said()}"
        return self.said()

    def finishes(self, number, seconds=30):
        """Waits until it has published a segment."""
        until = time.monotonic() + seconds
        while f"CommitLog-7-{FIRST + number}.log is finished" not in self.said():
            assert self.process.poll() is None and time.monotonic() < until, self.said()
            time.sleep(0.05)


def identities(found):
    """Key and event_id of each change, in their order by partition: heartbeats are left out."""
    changes = {}
    for (_, partition), written in sorted(found.items()):
        changes[partition] = [(key, headers["event_id"]) for key, value, headers in written if b'"op":"m"' not in (value or b"")]
    return changes


def expected(run, count):
    """`identities` of `count` segments, from the file log that a replay writes."""
    folder = run.folder / f"expected-{count}"
    folder.mkdir(exist_ok=True)
    (source,) = FIXTURE.glob("*.log")
    for name, text in segments.copies(source.read_bytes(), FIRST, count).items():
        (folder / name).write_bytes(text)
    log = run.folder / f"expected-{count}-log"
    run.replay([folder], FIXTURE / "schema.json", "x", "--out", log, "--partitions", "1", "--table", TABLE)
    found = identities(records.of_file_log(log))
    assert sum(map(len, found.values())) > 10 * count, found
    return found


def connections(run):
    """Every protocol and mechanism: topics are made and checked, each change is there once."""
    secrets = Secrets(run)
    locked = ["--ssl-key-password-file", secrets.path("key-password")]
    modes = [
        ("ssl", "SSL", secrets.trusted),
        ("ssl-certificate", "MUTUAL_SSL", secrets.certificate()),
        ("ssl-locked-key", "MUTUAL_SSL", [*secrets.certificate(key="locked"), *locked]),
    ]
    for mechanism in MECHANISMS:
        modes.append((f"sasl-{mechanism.lower()}", "SASL_PLAINTEXT", secrets.sasl(mechanism)))
        modes.append((f"sasl-ssl-{mechanism.lower()}", "SASL_SSL", [*secrets.trusted, *secrets.sasl(mechanism)]))
    wanted = expected(run, 1)
    admin = AdminClient({"bootstrap.servers": run.broker.servers})
    agents = [(prefix, Agent(run, prefix, listener, *options).write(0)) for prefix, listener, options in modes]
    with ThreadPoolExecutor(3) as pool:
        said = dict(pool.map(lambda pair: (pair[0], pair[1].start("--until-empty").ends(0)), agents))
    for prefix, text in said.items():
        secrets.unsaid(text)
        assert "cannot check" not in text, text
        assert identities(run.read(prefix + ".cdc.")[0]) == wanted, prefix
        assert policy(admin, f"{prefix}.cdc.__checkpoints") == "compact", prefix
        assert policy(admin, f"{prefix}.cdc.{TABLE}") == "delete", prefix
    insecure = ["--security-protocol", "sasl_ssl", *secrets.sasl("PLAIN"), "--ssl-insecure", "--table", TABLE]
    servers = ["--out", "kafka", "--bootstrap-servers", run.broker.listeners["SASL_SSL"]]
    _, text = run.replay([run.folder / "expected-1"], FIXTURE / "schema.json", "insecure", *servers, *insecure)
    assert "are not checked" in text, text
    return f"{', '.join(said)}: {sum(map(len, wanted.values()))} records each"


def policy(admin, topic):
    """A topic's cleanup.policy."""
    (asked,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    return asked.result()["cleanup.policy"].value


def shut_out(run):
    """One thing is wrong: the agent ends, and names it and what to do."""
    secrets = Secrets(run)
    admin = AdminClient({"bootstrap.servers": run.broker.servers})
    (made,) = admin.create_topics([NewTopic("bad-policy.cdc.__checkpoints", 1, 1, config={"cleanup.policy": "delete"})]).values()
    made.result()
    tls, plain, both = "MUTUAL_SSL", "SASL_PLAINTEXT", "SASL_SSL"
    wrong_password = ["--ssl-key-password-file", secrets.path("wrong")]
    cases = [
        ("no-authority", "SSL", [], 6, "kafka_ssl_ca_file"),
        ("other-authority", "SSL", ["--ssl-ca-file", secrets.path("other")], 6, "kafka_ssl_ca_file"),
        ("no-certificate", tls, secrets.trusted, 6, "kafka_ssl_certificate_file"),
        ("other-certificate", tls, secrets.certificate("other", "other-key"), 6, "kafka_ssl_certificate_file"),
        ("other-key", tls, secrets.certificate(key="other-key"), 6, "the key in kafka_ssl_key_file is not that of"),
        ("no-key", tls, secrets.certificate()[:4], 2, "only one is given"),
        ("locked-key", tls, secrets.certificate(key="locked"), 6, "kafka_ssl_key_password_file"),
        ("wrong-key-password", tls, [*secrets.certificate(key="locked"), *wrong_password], 6, "kafka_ssl_key_password_file"),
        ("wrong-plain", plain, secrets.sasl("PLAIN", "wrong"), 6, "kafka_sasl_password_file"),
        ("wrong-scram-256", plain, secrets.sasl("SCRAM-SHA-256", "wrong"), 6, "kafka_sasl_password_file"),
        ("wrong-scram-512", both, [*secrets.trusted, *secrets.sasl("SCRAM-SHA-512", "wrong")], 6, "kafka_sasl_password_file"),
        ("sasl-other-authority", both, ["--ssl-ca-file", secrets.path("other"), *secrets.sasl("PLAIN")], 6, "kafka_ssl_ca_file"),
        ("expired", plain, secrets.sasl("OAUTHBEARER", "expired"), 6, "has expired"),
        ("garbage", plain, secrets.sasl("OAUTHBEARER", "garbage"), 6, "holds no JSON Web Token"),
        ("no-token", plain, secrets.sasl("OAUTHBEARER", "nowhere"), 6, "cannot read kafka_oauth_token_file"),
        ("refused-token", plain, secrets.sasl("OAUTHBEARER", "signed"), 6, "the token (kafka_oauth_token_file)"),
        ("bad-policy", plain, secrets.sasl("OAUTHBEARER"), 6, "has cleanup.policy=delete"),
    ]  # fmt: skip

    def tried(case):
        prefix, listener, options, code, words = case
        text = Agent(run, prefix, listener, *options).write(0).start().ends(code)
        assert words in text.splitlines()[-1], text
        secrets.unsaid(text)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(tried, cases))
    return f"{len(cases)} ways"


def token(run):
    """A token is renewed before it expires; one that is not ends the agent, which goes on when it is started with a good one."""
    secrets = Secrets(run)
    life = 30
    agents = {}
    for name in ("renewed", "forgotten"):
        secrets.path(name).write_text(run.broker.token(life))
        expires = time.time() + life
        agents[name] = Agent(run, name, "SASL_PLAINTEXT", *secrets.sasl("OAUTHBEARER", name)).write(0).start()
    for agent in agents.values():
        agent.finishes(0, life)
    replace(secrets.path("renewed"), run.broker.token())
    while time.time() < expires + 1:
        time.sleep(0.1)
    for agent in agents.values():
        agent.write(1)
    agents["renewed"].finishes(1)
    agents["renewed"].process.terminate()
    said = agents["renewed"].ends(0)
    assert not any(words in said for words in ("taken back", "Authentication", "SASL")), said
    said = agents["forgotten"].ends(6, 90)
    assert "has expired" in said.splitlines()[-1], said
    replace(secrets.path("forgotten"), run.broker.token())
    agents["forgotten"].start("--until-empty").ends(0)
    wanted = expected(run, 2)
    for name in agents:
        assert identities(run.read(name + ".cdc.")[0]) == wanted, name
    return f"expired after {life} s; {sum(map(len, wanted.values()))} records once each"


def replace(path, text):
    """As whoever issues tokens does it: never half a file."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


CASES = [connections, shut_out, token]
