"""The module flags with which the servers and tools of Cassandra and Flink run, as their own start scripts give them."""

# What Cassandra reflects into, as its own start scripts open it.
EXPORTS = {
    "java.base": ["jdk.internal.misc", "jdk.internal.ref", "sun.nio.ch"],
    "java.management.rmi": ["com.sun.jmx.remote.internal.rmi"],
    "java.rmi": ["sun.rmi.registry", "sun.rmi.server"],
    "java.sql": ["java.sql"],
}
OPENS = {
    "java.base": [
        "java.lang.module", "jdk.internal.loader", "jdk.internal.ref", "jdk.internal.reflect", "jdk.internal.math",
        "jdk.internal.module", "jdk.internal.util.jar",
    ],
    "jdk.management": ["com.sun.management.internal"],
}  # fmt: skip
EXPORTS_17 = {"java.base": ["java.lang.ref", "java.lang.reflect"], "jdk.unsupported": ["sun.misc"]}
OPENS_17 = {
    "java.base": [
        "sun.nio.ch", "java.io", "java.nio", "java.lang", "java.lang.reflect", "java.util", "java.util.concurrent",
        "java.util.concurrent.atomic",
    ],
}  # fmt: skip

EXPORTS_FLINK = {
    "java.base": ["sun.net.util"],
    "java.rmi": ["sun.rmi.registry"],
    "java.security.jgss": ["sun.security.krb5"],
}
OPENS_FLINK = {
    "java.base": [
        "java.io", "java.lang", "java.lang.reflect", "java.net", "java.nio", "java.text", "java.time", "java.util",
        "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks", "sun.nio.ch",
    ],
}  # fmt: skip


def modules(version):
    """The --add-exports and --add-opens of a Cassandra release: 4.1 on Java 11, newer ones on Java 17."""
    flags = _flags("exports", EXPORTS) + _flags("opens", OPENS)
    if not version.startswith("4"):
        flags += _flags("exports", EXPORTS_17) + _flags("opens", OPENS_17)
    return flags


def _flags(option, packages):
    return [f"--add-{option}={module}/{package}=ALL-UNNAMED" for module in packages for package in packages[module]]


FLINK = _flags("exports", EXPORTS_FLINK) + _flags("opens", OPENS_FLINK)
