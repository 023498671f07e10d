"""A script from a server, over HTTP and TFTP: the network in the initrd, a server that is not ready, one that is wrong."""

from bed import Answer, Machine, Stick, Web
from bed.base import story_dir

ETC = ("overlay",)
TIMEOUT = 900

SCRIPT = """#!/bin/bash
# combustion: network
set -e
echo configured >/etc/hostname
curl --fail --silent {url}/extra >/usr/share/marker
cat /etc/resolv.conf >/root/resolv.conf
"""


def story(etc: str) -> None:
    moved = [Answer(status=500), Answer(status=302, location="/script")]
    with Web({"/moved": moved, "/extra": "from the server"}) as web:
        web.add("/script", SCRIPT.format(url=web.url))
        stick = Stick("COMBUSTION", {"combustion/script": "#!/bin/sh\nexit 1\n"})
        # No other source is looked at.
        with Machine(etc, first_boot=True, network=True, drives=[stick], cmdline=f"combustion.url={web.url}/moved") as m:
            m.boot()
            assert m.booted() == m.default() == 2
            assert m.sh("cat /etc/hostname /usr/share/marker") == "configured\nfrom the server"
            assert "nameserver 10.0.2.3" in m.sh("cat /root/resolv.conf")
            result = m.sh("health-checker firstboot status")
            assert f"source: {web.url}/moved (combustion.url)" in result, result
            assert "not used: /dev/sd" in result and "COMBUSTION" in result, result
            assert web.asked == ["/moved", "/moved", "/script", "/extra"], web.asked
            assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

        # A login page is no script.
        web.add("/login", Answer("<html>Please log in</html>", kind="text/html"))
        with Machine(etc, first_boot=True, network=True, cmdline=f"combustion.url={web.url}/login") as m:
            m.start()
            m.wait_console(r"FIRST BOOT FAILED: .*/login.*the answer is a web page \(text/html\)")
            m.power_cut()
            with m.offline() as top:
                assert top.snapshots() == [1] and top.default() == 1

        # A stick that asks for the network.
        stick.files = {"combustion/script": SCRIPT.format(url=web.url)}
        with Machine(etc, first_boot=True, network=True, drives=[stick]) as m:
            m.boot()
            assert m.sh("cat /usr/share/marker") == "from the server"

    served = story_dir() / "tftp"
    served.mkdir()
    (served / "script").write_text("#!/bin/sh\necho by tftp >/etc/hostname\n")
    nic = ["-nic", f"user,model=virtio-net-pci,tftp={served}"]
    with Machine(etc, first_boot=True, extra=nic, cmdline="combustion.url=tftp://10.0.2.2/script") as m:
        m.boot()
        assert m.sh("cat /etc/hostname") == "by tftp"
