"""Debian's own servers for the tests: `python -m tests.support.debian` installs what is missing and starts nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "dovecot-imapd",
    "dovecot-lmtpd",
    "postfix",
    "libsasl2-modules",
    "postgresql",
    "tmux",
    "strace",
    "openssl",
    "xz-utils",
)
POLICY = Path("/usr/sbin/policy-rc.d")
SECONDS_FOR_APT = 600


def can_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def missing_packages() -> list[str]:
    """The packages that the tests want and this machine has not."""
    return [package for package in PACKAGES if not _is_installed(package)]


def install(packages: list[str]) -> None:
    """Install the packages without starting a service; raises RuntimeError with apt's words when it cannot.

    Postfix is told "No configuration": the tests bring their own. The policy file keeps every service down meanwhile.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    _run(["debconf-set-selections"], environment, stdin="postfix postfix/main_mailer_type select No configuration\n")
    own_policy = not POLICY.exists()
    if own_policy:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *packages]
    try:
        try:
            _run(command, environment)
        except RuntimeError:
            # The package lists are missing or older than the archive.
            _run(["apt-get", "update", "-q"], environment)
            _run(command, environment)
    finally:
        if own_policy:
            POLICY.unlink()


def main() -> int:
    if not can_install():
        return 0
    packages = missing_packages()
    if not packages:
        return 0
    print(f"installing Debian's {' '.join(packages)}", flush=True)
    try:
        install(packages)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _is_installed(package: str) -> bool:
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True, timeout=60
    )
    return result.stdout == "installed"


def _run(command: list[str], environment: dict[str, str], stdin: str = "") -> None:
    try:
        result = subprocess.run(
            command,
            env=environment,
            input=stdin,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_FOR_APT,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{' '.join(command)} took longer than {SECONDS_FOR_APT} s") from error
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
