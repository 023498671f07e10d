"""The power goes at each stage of a first boot: whatever was reached, it is done once, and whole."""

from bed import Machine, Stick, Web
from bed.disk import Disk, Top
from torture.blklog import epochs
from torture.replay import Replay

ETC = ("nested",)
TIMEOUT = 1200
SCRIPT = "#!/bin/bash\necho run >>/etc/runs\necho x >>/root/runs\necho x >/var/lib/marker\nsync\necho the script is at work\n{}\n"


def untouched(top: Top) -> None:
    assert top.default() == 1
    assert not (top.var("lib") / "marker").exists()
    assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"


def whole(m: Machine) -> None:
    m.boot()
    assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
    assert m.sh("cat /etc/runs /root/runs /var/lib/marker") == "run\nx\nx", "not once"
    assert not m.sh("ls -d /.snapshots/*/before 2>/dev/null || true"), "what was kept is left over"


def at_a_message(etc: str) -> None:
    """While it is found out, fetched and applied."""
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT.format("sleep 1000")})
    with Machine(etc, first_boot=True) as m:
        for message, drives in (
            # What systemd says as it starts the first of our units.
            ("Is this a first boot", []),
            ("waiting 60 s more for drives", []), ("configuration found: ", [stick]), ("the script is at work", [stick]),
        ):
            m.drives, m.cmdline = list(drives), "" if drives else "firstboot.wait=60 systemd.show_status=1"
            m.start()
            m.wait_console(message)
            m.power_cut()
            with m.offline() as top:
                assert top.default() == 1, message
        # The script had written to the disk. It is undone before anything else is done.
        stick.files = {"combustion/script": "#!/bin/bash\nexit 1\n"}
        m.start()
        m.wait_console("FIRST BOOT FAILED")
        m.power_cut()
        with m.offline() as top:
            untouched(top)
        stick.files = {"combustion/script": SCRIPT.format("")}
        whole(m)


def while_it_is_fetched(etc: str) -> None:
    with Web({}) as web:
        url = f"combustion.url={web.url}/never"
        with Machine(etc, first_boot=True, network=True, cmdline=url) as m:
            m.start()
            m.wait_console("fetching http://")
            m.power_cut()
            with m.offline() as top:
                untouched(top)


def around_set_default(etc: str) -> None:
    """The two disks between which the default changes, out of everything that was written."""
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT.format("")})
    with Machine(etc, first_boot=True, drives=[stick], log_writes=True) as m:
        base = m.disk.copy().path
        whole(m)
        m.power_cut()
    before, after = Replay(base), Replay(base)
    for epoch in epochs(m.write_logs):
        after.apply(epoch.writes)
        with after.copy() as image, Disk(source=image).mounted() as top:
            if top.default() == 2:
                break
        before.apply(epoch.writes)
    for replay in (before, after):
        with Machine(etc, first_boot=True, drives=[stick], disk=Disk(source=replay.image)) as m:
            whole(m)
        replay.close()


def story(etc: str) -> None:
    at_a_message(etc)
    while_it_is_fetched(etc)
    around_set_default(etc)
