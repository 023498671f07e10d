"""Containers, protection, kernel and pace: by stand-ins where the image has not got the real thing."""

from bed import Container

SHORT = True
ETC = ("overlay",)
PODMAN = """#!/bin/bash
[ "$1 $2 $3" = "inspect --type container" ] || exit 125
case ${*: -1} in
web) echo '[{"State":{"Status":"running","Health":{"Status":"healthy"}}}]' ;;
systemd-db) echo '[{"State":{"Status":"exited","ExitCode":2}}]' ;;
slow) sleep 100 ;;
*) echo "Error: no such container" >&2; exit 125 ;;
esac
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        found = c.look("web: {podman: web}", "kernel: {kernel: true}", "pace: {boot_time: true}",
                       "guards: {security: true}")
        assert "cannot run podman" in found["web"]["message"], found
        assert found["kernel"]["outcome"] == "skip", found
        assert found["pace"]["outcome"] == "skip", found
        c.sh("mkdir -p /etc/selinux; printf 'SELINUX=enforcing\\nSELINUXTYPE=targeted\\n' >/etc/selinux/config")
        found = c.look()
        assert found["guards"]["message"].startswith("SELinux is disabled, not enforcing"), found
        c.sh("rm /etc/selinux/config")
        c.update(f"cat >/usr/bin/podman <<'END'\n{PODMAN}END\nchmod +x /usr/bin/podman")
        c.look("pace: {boot_time: true}")
        for boot in range(4):
            c.reboot()
            status = c.status()
            assert status["health"] == "healthy", status
            pace = next(check for check in status["checks"] if check["name"] == "pace")
            assert pace["outcome"] == "pass", pace
            assert ("too few" in pace["message"]) == (boot < 3), pace
        found = c.look("web: {podman: web}", "db: {podman: db}", "no: {podman: no}",
                       "slow: {podman: slow, timeout: 1s}")
        assert found["web"]["message"] == "running, healthy", found
        assert found["db"]["message"] == "exited with status 2", found
        assert found["no"]["message"].endswith("Error: no such container"), found
        assert found["slow"]["outcome"] != "pass" and found["slow"]["duration_ms"] < 4000, found
