"""Everybody is told the same: journal with its catalog, console, files, hook, webhook; none delays long."""

import json
import time

from bed import Container, Outside
from bed.outside import HERE

SHORT = True
ETC = ("overlay",)

HOOK = """#!/bin/sh
cat >/var/lib/hook.json
env | grep ^HEALTH_CHECKER_EVENT= >/var/lib/hook.env
"""
CHECK = "{no: {command: [/bin/sh, -c, 'echo database is corrupt; exit 1']}}"


def assess(c: Container) -> float:
    """A fresh verdict, and how long it took."""
    start = time.monotonic()
    c.run("health-checker assess --act")
    return time.monotonic() - start


def story(etc: str) -> None:
    with Container(etc, args=["health-checker-reboot=disabled"]) as c, Outside(c) as outside:
        c.boot()
        outside.prepare()
        outside.plug()
        c.sh("systemctl restart systemd-networkd; journalctl --update-catalog")
        c.wait_for("ip -4 address show host0 | grep -q 10.99")
        c.sh("rm -f /dev/console; touch /dev/console")  # this container has none
        assert "Health checks passed" in c.sh("journalctl -b -x -t health-checker")

        told = outside.server(8080, [503, 200])
        c.sh(f"mkdir -p /etc/health-checker/alert.d; cat >/etc/health-checker/alert.d/10-hook <<'END'\n{HOOK}END\n"
             "chmod +x /etc/health-checker/alert.d/10-hook; touch /etc/health-checker/alert.d/20-left.rpmsave")
        c.sh(f"cat >/etc/health-checker/story.yaml <<'END'\nchecks: {CHECK}\n"
             f"alerts: {{webhook: 'http://{HERE}:8080/s3cret'}}\npolicy: {{mode: observe}}\nEND")
        c.sh("health-checker config check")
        assert "s3cret" not in c.sh("health-checker config show")
        # Nothing is done, and everybody is told that.
        assess(c)
        assert [it["body"]["event"] for it in told] == ["not-acted"] * 2, told
        assert not c.run("systemctl is-active health-checker-safe.target")

        c.sh("truncate -s 0 /dev/console; sed -i s/observe/enforce/ /etc/health-checker/story.yaml")
        assess(c)
        c.wait_for("systemctl is-active health-checker-safe.target")
        body = told[-1]["body"]
        assert (told[-1]["path"], told[-1]["type"]) == ("/s3cret", "application/json"), told
        assert (body["schema"], body["event"], body["host"]) == (1, "safe-mode", "microbox"), body
        assert body["boot"].replace("-", "") == c.sh("cat /proc/sys/kernel/random/boot_id").replace("-", "")
        assert "database is corrupt" in body["failed"][0] and "safe-mode leave" in body["advice"], body
        text = body["text"].strip()
        for file in ("/run/motd.d/health-checker", "/run/issue.d/health-checker.issue"):
            assert c.sh(f"cat {file}") == text, file
        assert json.loads(c.sh("cat /var/lib/hook.json")) == body
        assert c.sh("cat /var/lib/hook.env") == "HEALTH_CHECKER_EVENT=safe-mode"
        shown = c.sh("cat /dev/console").replace("\r\n", "\n")
        assert shown.strip() == text, shown
        entry = c.sh("journalctl -b -o json MESSAGE_ID=8fb2027e3fc94785bb3ac50a0f2a492d | tail -n 1")
        assert json.loads(entry)["MESSAGE"].strip() == text, entry
        explained = c.sh("journalctl -b -x MESSAGE_ID=8fb2027e3fc94785bb3ac50a0f2a492d")
        assert "the system is in safe mode" in explained and "database is corrupt" in explained, explained
        c.sh("health-checker safe-mode leave && ! test -e /run/motd.d/health-checker")

        # A server that never answers, one that is not there, and a hook that hangs: ten seconds in all.
        hangs = outside.server(8081, [], hang=True)
        c.sh("printf '#!/bin/sh\\nsleep 1000\\n' >/etc/health-checker/alert.d/10-hook; "
             "sed -i -e s/8080/8081/ -e s/enforce/observe/ /etc/health-checker/story.yaml")
        took = assess(c)
        assert hangs and took < 13, (took, hangs)
        assert "did not end" not in c.sh("journalctl -b -t health-checker")
        c.sh("sed -i s/8081/8082/ /etc/health-checker/story.yaml; rm /etc/health-checker/alert.d/10-hook")
        took = assess(c)
        assert took < 13, took
        assert "s3cret" not in c.sh("journalctl -b")
