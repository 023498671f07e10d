"""greenboot's scripts run unchanged: required ones condemn, wanted ones warn, disabled ones rest, others follow."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("mkdir -p /etc/greenboot/check/required.d /etc/greenboot/check/wanted.d;"
             "cd /etc/greenboot/check; echo 'echo fine' >required.d/01_fine.sh;"
             "echo 'exit 1' >required.d/02_off.sh; echo 'echo too slow; exit 1' >wanted.d/slow.sh;"
             "mkdir ../green.d; echo 'touch /var/lib/green' >../green.d/tell.sh;"
             "echo 'DISABLED_HEALTHCHECKS=(\"02_off.sh\")' >/etc/greenboot/greenboot.conf")
        c.reboot()
        status = c.status()
        assert status["health"] == "healthy", status
        c.sh("test -e /var/lib/green")
        found = {x["name"].split("/")[-1]: x for x in status["checks"]}
        assert (found["01_fine.sh"]["outcome"], found["01_fine.sh"]["message"]) == ("pass", "fine")
        assert found["02_off.sh"]["outcome"] == "skip", found["02_off.sh"]
        assert (found["slow.sh"]["outcome"], found["slow.sh"]["required"]) == ("fail", False)
        # An update brings a required one that fails: it goes back.
        c.update("mkdir -p /usr/lib/greenboot/check/required.d /usr/lib/greenboot/red.d;"
                 "echo 'touch /var/lib/red' >/usr/lib/greenboot/red.d/tell.sh;"
                 "echo 'echo broken; exit 3' >/usr/lib/greenboot/check/required.d/new.sh")
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["/usr/lib/greenboot/check/required.d/new.sh"]
        c.sh("test -e /var/lib/red")
