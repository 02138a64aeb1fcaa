"""A certificate authority for one stack, with a key for its services and one for clients, made by the JDK's keytool."""

import subprocess

from parts import StackError, fetched

NAMES = "san=dns:localhost,ip:127.0.0.1,ip:127.0.0.2,ip:127.0.0.3"


def made(folder, password):
    """The files of `folder`, made when they are not there: ca.pem, and PKCS#12 stores server, client, truststore."""
    files = {name: folder / f"{name}.p12" for name in ("server", "client", "truststore")} | {"ca": folder / "ca.pem"}
    if not files["ca"].exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(_Keytool(password), folder / "authority.p12", files)
    return files


def _make(keytool, authority, files):
    keytool.key(authority, "authority", "CN=stack authority", "bc:c")
    certificate = keytool.run(authority, "authority", "-exportcert", "-rfc")
    for name, extension in (("server", NAMES), ("client", "eku=clientAuth")):
        store = files[name]
        keytool.key(store, name, f"CN={'localhost' if name == 'server' else 'agent'}", extension)
        request = keytool.run(store, name, "-certreq")
        signed = keytool.run(authority, "authority", "-gencert", "-rfc", "-ext", extension, "-validity", "3650", given=request)
        keytool.run(store, "authority", "-importcert", "-noprompt", given=certificate)
        keytool.run(store, name, "-importcert", "-noprompt", given=certificate + signed)
    keytool.run(files["truststore"], "authority", "-importcert", "-noprompt", given=certificate)
    files["ca"].write_text(certificate)  # last: it says that all are there


class _Keytool:
    def __init__(self, password):
        self.program = str(fetched("jdk-17") / "bin" / "keytool")
        self.password = password

    def key(self, store, alias, subject, extension):
        key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", subject, "-validity", "3650"]
        self.run(store, alias, *key, "-ext", extension)

    def run(self, store, alias, *arguments, given=None):
        command = [self.program, "-J-XX:TieredStopAtLevel=1", *arguments, "-alias", alias]
        command += ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", self.password]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(f"keytool {arguments[0]} failed: {(done.stdout + done.stderr).strip()}")
        return done.stdout
