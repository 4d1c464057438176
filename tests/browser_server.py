"""A real `lookalike serve` process for the tests in a browser, which can be killed and started again."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from lookalike.settings import Settings
from served import wait_until_ready


def environment_of(place: Path, settings: Settings) -> dict[str, str]:
    """Return what keeps a process to its workers, and its trash to a place."""
    return {
        "LOOKALIKE_JOBS": str(settings.jobs),
        "XDG_DATA_HOME": str(place / "data"),
    }


class ServedGallery:
    """A gallery behind a server process of its own."""

    def __init__(self, gallery: Path, environment: dict[str, str], *options: str) -> None:
        self.gallery = gallery
        self._environment = {**os.environ, **environment}
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server on the port that it had, or on a free one."""
        command = [
            sys.executable,
            "-m",
            "lookalike",
            "--gallery",
            str(self.gallery),
            "serve",
            "--port",
            str(self.port),
        ]
        self._process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, text=True, env=self._environment
        )
        line = self._process.stdout.readline()
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line)[1])
        wait_until_ready(self.address)

    def kill(self) -> None:
        """Kill the server as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
