#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The units of PAUSE's machine, held against `systemd-analyze security`: what each may be exposed to."""

import pathlib
import re
import shutil
import subprocess
import sys

UNITS = pathlib.Path(__file__).resolve().parents[2] / "overlays/pause/vm/etc/systemd/system"
LIMIT = 5.0
# Those that handle strangers' files; and the one that has to mount the data volume for everybody.
LIMITS = {"pause-web.service": 4.0, "paused.service": 4.0, "first-run.service": 5.3}
# Of services that Debian brings, what a drop-in must say.
DROP_INS = {
    "nginx.service": ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "Restart="],
    "rsync.service": ["ProtectSystem=strict", "CapabilityBoundingSet=", "Restart="],
    "mariadb.service": ["Restart="],
    "cron.service": ["Restart="],
}


def exposure(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    if not found:
        raise SystemExit(f"{unit.name}: {done.stdout}{done.stderr}")
    return float(found[1])


def faults():
    units = sorted(UNITS.glob("*.service"))
    if not units:
        yield f"no units in {UNITS}"
    for unit in units:
        level, limit = exposure(unit), LIMITS.get(unit.name, LIMIT)
        print(f"{unit.name}: {level}")
        if level >= limit:
            yield f"{unit.name}: exposure {level}, the limit is {limit}"
    for name, settings in DROP_INS.items():
        text = "".join(f"\n{path.read_text()}" for path in sorted((UNITS / f"{name}.d").glob("*.conf")))
        for setting in settings:
            if f"\n{setting}" not in text:
                yield f"{name}.d: no '{setting}'"


def main():
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed")
        return 77
    found = list(faults())
    print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
