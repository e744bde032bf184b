"""Find the Chromium that tests and benchmarks drive; `python -m tools.browser` installs it if there is none."""

import functools
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Chromium's sandbox does not work for root. The other flags keep it from using the network by itself.
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *(("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),
)


@functools.cache
def chromium() -> str | None:
    """Path of the Chromium in NST_CHROMIUM, else of one installed on this machine, else of Playwright's; else None."""
    return os.environ.get("NST_CHROMIUM") or next(filter(_starts, _installed()), None) or _of_playwright()


def _installed() -> list[str]:
    return [path for path in map(shutil.which, NAMES) if path]


def _starts(path: str) -> bool:
    """Whether it is a browser: on some systems `chromium` only prints how to install it."""
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Chromium: as root on Debian its package, else Playwright's build. Raises CalledProcessError."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and shutil.which("apt-get") and platform.freedesktop_os_release().get("ID") == "debian":
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        subprocess.run(["apt-get", "install", "-qq", "--no-install-recommends", "chromium"], check=True, env=quiet)
    else:
        command = [sys.executable, "-m", "playwright", "install", *(["--with-deps"] if root else []), "chromium"]
        subprocess.run(command, check=True)


def main() -> None:
    """Install Chromium unless there is one that starts."""
    if chromium():
        return
    print("browser: no Chromium here; installing one for the browser tests", flush=True)
    try:
        install()
    except subprocess.CalledProcessError as error:
        sys.exit(f"browser: {' '.join(error.cmd)} failed; install Chromium or Google Chrome by hand and try again")
    chromium.cache_clear()
    if not chromium():
        sys.exit("browser: Chromium was installed but does not start; `playwright install-deps` brings what it needs")


if __name__ == "__main__":
    main()
