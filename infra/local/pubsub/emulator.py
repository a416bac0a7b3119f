"""Google's Pub/Sub emulator, where the Cloud SDK has installed it and there is a Java to run it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.local.parts import PartFailed
from infra.local.ports import free_port
from infra.local.pubsub.part import Pubsub

_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_JAVA_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # for a quick start on a small machine


def emulator(folder: Path, *, port: int | None = None) -> Pubsub:
    """The emulator, not started yet. Raises PartFailed when it isn't installed."""
    installed = find_emulator()
    if installed is None:
        raise PartFailed("pubsub emulator", "not installed: no java on PATH, or no such component in a Cloud SDK")
    java, jar = installed
    port = port or free_port()
    return Pubsub(
        "pubsub emulator", [java, *_JAVA_OPTIONS, "-jar", jar, "--host=127.0.0.1", f"--port={port}"], folder, port
    )


def find_emulator() -> tuple[Path, Path] | None:
    """The `java` program and the emulator's jar, or None where one of them is missing."""
    java = shutil.which("java")
    jar = next((jar for root in _cloud_sdks() for jar in sorted(root.glob(_JAR))), None)
    return (Path(java), jar) if java and jar else None


def _cloud_sdks() -> Iterator[Path]:
    if root := os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root)
    if gcloud := shutil.which("gcloud"):
        yield Path(gcloud).resolve().parent.parent
    yield Path("/usr/lib/google-cloud-sdk")
    yield Path("/opt/google-cloud-sdk")
    yield Path.home() / "google-cloud-sdk"
