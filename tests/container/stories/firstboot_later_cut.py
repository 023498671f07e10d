"""The power is cut in and between the scripts: none is run twice, none is lost."""

import json

from bed import Container
from bed.later import LOG, configuration, result, text

SHORT = True
ETC = ("overlay",)


def script(name: str, more: str) -> dict[str, object]:
    # What reached the disk is what the cut leaves.
    return {"name": name, "when": "instance", "text": text(f"echo {name} >>{LOG}; sync -f {LOG}; {more}")}


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        scripts = [script("a-done", "true"), script("b-cut", "touch /run/now; sleep 30"), script("c-left", "true")]
        c.sh(configuration(bootcmd=[], boothooks=[], runcmd=[], scripts=scripts, final_message=None))
        c.sh("sync -f /etc; sync -f /var")
        c.reboot(wait=False)
        c.wait_for("test -e /run/now")
        assert json.loads(c.sh("health-checker firstboot status --json"))["later"]["state"] == "running"
        c.power_cut()
        c.boot()
        assert c.sh(f"cat {LOG}").split() == ["a-done", "b-cut", "c-left"]
        [failed] = result(c)["failed"]
        assert failed["name"] == "scripts/b-cut" and "went down while it ran" in failed["reason"], failed
        assert c.sh("systemctl is-active health-checker-final.service") == "active"
        c.reboot()
        assert c.sh(f"cat {LOG}").split() == ["a-done", "b-cut", "c-left"]
        # As it says.
        c.sh("rm " + failed["reason"].split("unless ")[1].split(" is removed")[0])
        c.sh(configuration(bootcmd=[], boothooks=[], runcmd=[], scripts=[script("b-cut", "true")]))
        c.reboot()
        assert c.sh(f"cat {LOG}").split() == ["b-cut"]
        assert result(c)["failed"] == [], result(c)
