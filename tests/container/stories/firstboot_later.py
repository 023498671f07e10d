"""What a configuration does in the started system: each script as often as it shall, failures named."""

from bed import Container
from bed.later import configuration, ran, result, text

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        # Nothing of it on a machine without a configuration: not even a wait for the network.
        assert c.sh("systemctl is-active health-checker-final.service; true") == "inactive"
        assert "health-checker-final" not in c.sh("systemctl list-dependencies --plain multi-user.target")
        c.sh(configuration())

        c.reboot()
        every = ["hook", "bootcmd i-1"]
        assert ran(c) == [*every, "once", "boot", "part-001", "runcmd"]
        c.sh("test -e \"/run/it's up\"; kill -0 $(cat /run/background); test ! -e /run/health-checker/scripts-*")
        assert (result(c)["state"], result(c)["failed"]) == ("done", []), result(c)
        assert "up after" in c.sh("journalctl -b -o cat -u health-checker-final.service")
        # The verdict comes after it, and it after what the system wants to be up.
        times = c.sh("for u in webd health-checker-final health-checker; do systemctl show -P"
                     " ActiveEnterTimestampMonotonic $u.service; done").split()
        assert sorted(times, key=int) == times, times
        assert c.status()["health"] == "healthy", c.status()
        assert "ordering cycle" not in c.console_tail() + c.sh("journalctl -b --no-pager")

        c.reboot()
        assert ran(c) == [*every, "boot"]

        c.sh(configuration(instance_id="i-2"))
        c.reboot()
        assert ran(c) == ["hook", "bootcmd i-2", "boot", "part-001", "runcmd"]

        # A failing and a hanging script: all others run, both are named, and the snapshot stays good.
        scripts = [
            {"name": "a-fails", "when": "instance", "text": text("exit 3")},
            {"name": "b-hangs", "when": "instance", "text": text("sleep 1000")},
        ]
        c.sh(configuration(instance_id="i-3", scripts=scripts, bootcmd=[{"shell": "false"}]))
        c.sh("echo 'policy: {firstboot_deadline: 4s}\nchecks: {units: {failed_units: true, required: true}}'"
             " >/etc/health-checker/fast.yaml")
        c.reboot()
        assert ran(c) == ["hook", "runcmd"]
        failed = {it["name"]: it["reason"] for it in result(c)["failed"]}
        assert set(failed) == {"scripts/a-fails", "scripts/b-hangs", "bootcmd"}, failed
        assert failed["scripts/a-fails"] == "exit status 3" and "no end within" in failed["scripts/b-hangs"]
        assert c.sh("systemctl is-failed health-checker-final.service") == "failed"
        assert c.status()["health"] == "healthy", c.status()
        assert "scripts/a-fails FAILED: exit status 3" in c.sh("health-checker status")
        assert "b-hangs" in c.sh("health-checker firstboot status")
