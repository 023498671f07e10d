"""What a configuration does in the started system, written by hand."""

from __future__ import annotations

import base64
import json
import shlex
from typing import Any

from .container import Container

#: Where its scripts say that they ran.
LOG = "/var/log/later"


def text(script: str) -> str:
    return base64.b64encode(f"#!/bin/sh\n{script}\n".encode()).decode()


def configuration(**changes: Any) -> str:
    """The shell command that writes one."""
    later: dict[str, Any] = {
        "instance_id": "i-1",
        "bootcmd": [{"shell": f"echo bootcmd $INSTANCE_ID >>{LOG}"}, {"exec": ["touch", "/run/it's up"]}],
        "runcmd": [{"shell": f"echo runcmd >>{LOG}; sleep 1000 & echo $! >/run/background"}],
        "boothooks": [{"name": "hook", "when": "boot", "text": text(f"echo hook >>{LOG}")}],
        "scripts": [
            {"name": "once", "when": "once", "text": text(f"echo once >>{LOG}")},
            {"name": "boot", "when": "boot", "text": text(f"echo boot >>{LOG}")},
            {"name": "part-001", "when": "instance", "text": text(f"echo part-001 >>{LOG}")},
        ],
        "phone_home": None,
        "final_message": "up after $UPTIME s",
        "power_state": None,
    }
    path = "/etc/health-checker/firstboot/later.json"
    return f"mkdir -p {path.rsplit('/', 1)[0]}; printf %s {shlex.quote(json.dumps(later | changes))} >{path}; rm -f {LOG}"


def ran(c: Container) -> list[str]:
    """What ran since the last question."""
    return c.sh(f"cat {LOG}; rm {LOG}").splitlines()


def result(c: Container) -> dict[str, Any]:
    later: dict[str, Any] = json.loads(c.sh("health-checker firstboot status --json"))["later"]
    return later
