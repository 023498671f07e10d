"""A boot whose checks pass is recorded as known good, protected, and said so."""

from bed import Container

SHORT = True


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        status = c.status()
        assert status["schema"] == 1 and status["health"] == "healthy", status
        assert status["snapshot"] == {"booted": 1, "default": 1, "known_good": [1], "starts_without_verdict": 0}, status
        assert status["decision"]["action"] == "mark-good", status
        assert status["rollback_target"] == {"snapshot": 1, "ready": True, "problems": []}, status
        found = {x["name"]: x["outcome"] for x in status["checks"]}
        assert found == {"dbus": "pass", "etc": "pass", "logind": "pass", "rpmdb": "skip",
                         "subvolumes": "pass", "tmp": "pass", "webd": "pass"}, status
        c.sh("health-checker status")
        timers = {timer["name"]: timer for timer in status["timers"]}
        assert timers["snapper-cleanup.timer"]["enabled"], timers
        c.sh("health-checker check webd")
        c.sh("grep -q '<key>important</key>' /.snapshots/1/info.xml")
        assert not c.run("grep '<cleanup>' /.snapshots/1/info.xml"), "may be cleaned up"
        # A verdict is reached once a boot: nothing is written a second time.
        before = c.sh("cat /var/lib/health-checker/record")
        c.sh("health-checker assess && health-checker assess --dry-run")
        assert c.sh("cat /var/lib/health-checker/record") == before
