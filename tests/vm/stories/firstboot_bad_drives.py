"""Drives that are there but cannot be used stop the boot, and say what to do about it."""

from pathlib import Path

from bed import Machine, Stick

ETC = ("overlay",)


def broken(image: Path) -> None:
    """The label can be read, the file system cannot be mounted: its group descriptors are gone."""
    with image.open("r+b") as disk:
        disk.seek(2048)
        disk.write(b"\xff" * 2048)


CASES = [
    (Stick("combustion", {"combustion/script": "#!/bin/bash\n"}, fs="ext4", damage=broken),
     r"drive /dev/sda \(label combustion, ext4\) cannot be read: is its file system damaged\?"),
    (Stick("COMBUSTION", {"combustion/skript": "#!/bin/bash\n"}),
     r"the directory .combustion. has no file .script. in it"),
    (Stick("COMBUSTION", {"combustion/script": "#!/bin/bash\r\necho\r\n"}),
     r"combustion/script: line 1: it ends with CR and LF.*sed -i"),
    (Stick("COMBUSTION", {"combustion/script": "echo hello\n"}),
     r"combustion/script: line 1: no interpreter is named: begin it with #!/bin/bash"),
    (Stick("COMBUSTION", {"combustion/script": "#!/usr/bin/pyhton3\n"}),
     r"combustion/script: line 1: the interpreter /usr/bin/pyhton3 cannot be started"),
    (Stick("COMBUSTION", {"combustion/script": ""}),
     r"combustion/script: it is empty"),
    (Stick("COMBUSTION", {"combustion/script": "#!/bin/bash\n".encode("utf-16")}),
     r"combustion/script: line 1: no interpreter is named"),
    (Stick("COMBUSTION", {"combustion": "#!/bin/bash\n"}),
     r".combustion. is there, but it is no directory"),
]


def story(etc: str) -> None:
    with Machine(etc, first_boot=True) as m:
        for stick, says in CASES:
            m.drives = [stick]
            m.start()
            m.wait_console("FIRST BOOT FAILED: .*" + says)
            m.wait_console("Entering emergency mode")
            m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
            assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"
