"""A soft-reboot is a boot of its own, although the kernel's boot id stays."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.status()["boot"]["kind"] == "cold"
        # nspawn's mounts do not live through it, and nothing here mounts them again; /etc is one of them.
        c.sh("mkdir -p /run/health-checker; echo 'checks: {dbus: null, etc: null, logind: null, subvolumes: null}'"
             " >/run/health-checker/container.yaml")
        first = c.sh("systemctl show -P InvocationID health-checker.service")
        noted = c.sh("cat /run/health-checker/start.json")
        # What was the default before says nothing about this start.
        c.sh("echo '{\"default_subvolume\": 5}' >/run/health-checker/start.json")
        c.run("systemctl soft-reboot")
        c.wait_for(f"[ $(systemctl show -P SoftRebootsCount) = 1 ] && systemctl is-active health-checker.service"
                   f" && [ $(systemctl show -P InvocationID health-checker.service) != {first} ]")
        status = c.status()
        assert (status["health"], status["boot"]["kind"]) == ("healthy", "soft-reboot"), status
        assert "all required checks passed" in status["decision"]["reason"], status
        assert c.sh("cat /run/health-checker/start.json") == noted
        assert c.sh("systemctl is-active health-checker-deadline.timer") == "active"
