"""The Chromium that tests and benchmarks drive: find it; as a program, `python -m tools.browser`, install it once."""

import functools
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# No sandbox for root, who cannot have one; nothing that calls home.
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *(("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),
)


@functools.cache
def chromium() -> str | None:
    """Path of the Chromium that NST_CHROMIUM names, of this machine's own, or of Playwright's; None without any."""
    return os.environ.get("NST_CHROMIUM") or next(filter(_starts, _installed()), None) or _playwrights_own()


def _installed() -> list[str]:
    return [path for path in map(shutil.which, NAMES) if path]


def _starts(path: str) -> bool:
    """Whether it is a browser: on some systems `chromium` is only a signpost to another package manager."""
    return subprocess.run([path, "--version"], capture_output=True).returncode == 0


def _playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Chromium: Debian's package for root on Debian, else Playwright's build. Raises CalledProcessError."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and shutil.which("apt-get") and platform.freedesktop_os_release().get("ID") == "debian":
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        subprocess.run(["apt-get", "install", "-qq", "--no-install-recommends", "chromium"], check=True, env=quiet)
    else:
        command = [sys.executable, "-m", "playwright", "install", *(["--with-deps"] if root else []), "chromium"]
        subprocess.run(command, check=True)


def main() -> None:
    """Install Chromium unless one starts."""
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
