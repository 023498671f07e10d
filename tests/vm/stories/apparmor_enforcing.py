"""AppArmor confines the mandatory service; an update that takes the profile away is named, and left."""

from bed import Machine

ETC = ("overlay",)
#: Only this profile: loading all of Debian's takes longer than the boot.
CONFINE = """cd /etc/apparmor.d
find . -mindepth 1 -maxdepth 1 ! -name abi ! -name abstractions ! -name tunables -exec rm -rf {} +
cat >webd <<'END'
/usr/libexec/hc-demo/webd {
  /usr/libexec/hc-demo/webd mr,
  /usr/lib/** mr,
  /etc/ld.so.* r,
}
END
systemctl enable apparmor.service
mkdir -p /etc/health-checker
echo 'checks: {security: {security: true}}' >/etc/health-checker/security.yaml"""
LOSE = "rm /etc/apparmor.d/webd; systemctl disable apparmor.service"


def story(etc: str) -> None:
    # The bed's own apparmor=0 comes first, and the last word counts.
    with Machine(etc, cmdline="apparmor=1 security=apparmor") as m:
        m.boot()
        m.sh(CONFINE)
        m.reboot()
        assert "enforce" in m.sh("cat /proc/$(systemctl show -P MainPID webd.service)/attr/current")
        status = m.status()
        found = {check["name"]: check for check in status["checks"]}
        assert (status["health"], found["security"]["outcome"]) == ("healthy", "pass"), status
        assert found["security"]["message"] == "AppArmor enforces 1 profiles", status

        m.update(LOSE)
        m.reboot(wait=False)
        m.wait_console("security: no AppArmor profile is loaded, 1 at the last healthy boot")
        m.expect_reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", 1), status
        assert status["last_rollback"]["failed"] == ["security"], status
        assert "enforce" in m.sh("cat /proc/$(systemctl show -P MainPID webd.service)/attr/current")
