"""The machine starts from read-only btrfs, /etc is writable, and it can be turned off."""

from bed import Machine


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        assert m.sh("systemctl is-active multi-user.target webd.service") == "active\nactive"
        assert m.booted() == m.default() == 1
        # The initrd has noted how this start began: no unit is needed for it.
        assert "default_subvolume" in m.sh("cat /run/health-checker/start.json")
        assert not m.run("systemctl is-active health-checker-start.service")
        assert m.sh("findmnt -no FSTYPE /") == "btrfs"
        assert not m.run("touch /usr/x"), "the root file system is writable"
        m.sh("touch /etc/x /var/x /root/x")
        for sub in ("/var", "/root", "/home", "/.snapshots"):
            assert m.sh(f"findmnt -no FSROOT {sub}") == f"/@{sub}"
        assert m.sh("snapper --no-dbus list --columns number,default | tail -n 1").startswith("1")
        failed = m.sh("systemctl --failed --plain --no-legend")
        assert not failed, f"{failed}\n{m.run("systemctl status --failed --no-pager --full").out}"
        m.poweroff()
    with m.offline() as top:
        assert top.default() == 1 and top.read_only(1)
        assert (top.etc(1) / "x").exists()
        assert (top.var() / "x").exists()
