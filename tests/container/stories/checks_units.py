"""Units, failed units and names on the bus: each passes, and each fails for what is really wrong."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("mkdir -p /run/systemd/system; cd /run/systemd/system;"
             "printf '[Service]\\nExecStart=/bin/false\\n' >breaks.service;"
             "printf '[Service]\\nExecStart=/bin/sleep 0.3\\nRestart=always\\nRestartSec=1ms\\n"
             "[Unit]\\nStartLimitIntervalSec=0\\n' >loops.service;"
             "systemctl daemon-reload")
        checks = (
            "web: {unit: webd}",
            "none: {unit: nosuch.service}",
            "broken: {unit: breaks.service}",
            "stopped: {unit: webd, state: inactive}",
            "loop: {unit: loops}",
            "failed: {failed_units: true}",
            "tolerant: {failed_units: true, allow: [breaks]}",
            "name: {dbus_name: org.freedesktop.login1}",
            "noname: {dbus_name: org.example.None}",
        )
        before = c.look(*checks)
        assert before["web"]["message"] == "active (running)", before
        assert before["none"]["message"] == "its unit file is not-found", before
        assert before["stopped"]["message"] == "active (running), not inactive", before
        assert before["broken"]["message"] == "inactive (dead), not active", before
        assert before["failed"]["message"] == "no unit has failed", before
        assert before["name"]["outcome"] == "pass", before
        assert before["noname"]["message"] == "nobody owns org.example.None", before
        c.run("systemctl start breaks.service loops.service")
        c.wait_for("[ $(systemctl show -P NRestarts loops.service) -gt 4 ]")
        c.wait_for("systemctl is-failed breaks.service")
        found = c.look()
        assert found["broken"]["message"] == "failed (failed), result exit-code, not active", found
        assert found["failed"]["message"] == "failed: breaks.service", found
        assert found["tolerant"]["message"] == "only what may: breaks.service", found
        assert found["loop"]["outcome"] == "fail" and "restarted" in found["loop"]["message"], found
        shown = c.sh("health-checker config show")
        assert '"unit":"webd.service"' in shown and "# /etc/health-checker/90-story.yaml" in shown, shown
        assert "# built in" in shown, shown

        # A unit that comes up late passes within its time.
        c.sh("systemctl stop webd; (sleep 2; systemctl start webd) >/dev/null 2>&1 &")
        late = c.look("web: {unit: webd, retry_for: 20s}", "webd: null")
        assert late["web"]["outcome"] == "pass" and late["web"]["duration_ms"] > 1000, late

        # Nothing depends on a bus that is alive: it hangs, then it is gone.
        c.sh("systemctl kill --signal=STOP dbus.service")
        hung = c.look("web: {unit: webd}", "broken: {unit: breaks}",
                      "dbus: {dbus_name: org.freedesktop.systemd1, timeout: 3s}")
        assert hung["web"]["message"] == "active (running)", hung
        assert hung["broken"]["message"].startswith("failed (failed), result exit-code"), hung
        assert hung["dbus"]["outcome"] in ("fail", "timeout"), hung
        c.sh("systemctl mask --runtime dbus.service dbus.socket 2>/dev/null;"
             "systemctl kill --signal=KILL dbus.service; systemctl stop dbus.socket")
        gone = c.look()
        assert gone["web"]["outcome"] == "pass" and gone["dbus"]["outcome"] == "fail", gone
