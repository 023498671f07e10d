"""Where the image holds a public key, only what is signed configures the machine: drives made by `drive create --sign`, and
what is elsewhere by its sum."""

import hashlib
import shutil
from pathlib import Path

from bed import Answer, Cdrom, Drive, Machine, Stick, VirtioDisk, Web
from bed.base import PROGRAM, sh, story_dir

ETC = ("nested",)
TIMEOUT = 900
MORE = "#cloud-config\nhostname: included\n"
FILES = {"combustion/script": "#!/bin/sh\ncp key /root/key\necho configured >/etc/hostname\n", "combustion/key": "secret\n"}


def made(name: str, *options: str | Path, kind: str = "img", files: dict[str, str] = FILES) -> Path:
    """What `drive create` makes of those files; run as its users run it, but from the build's directory."""
    tree = story_dir() / name
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    image = story_dir() / f"{name}.{kind}"
    sh(PROGRAM, "drive", "create", "--force", "-o", image, *options, tree)
    return image


def replaced_by(image: Path, drive: type[Drive] = Stick) -> Drive:
    """A drive with an image that exists already."""

    def replace(target: Path) -> None:
        shutil.copy(image, target)

    return drive("COMBUSTION", {}, damage=replace)


def story(etc: str) -> None:
    key, other = story_dir() / "key", story_dir() / "other"
    for path in (key, other):
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    signed, unsigned, foreign = made("signed", "--sign", key), made("unsigned"), made("foreign", "--sign", other)
    sh("fsck.vfat", "-n", signed)
    # OpenSSH itself must agree with the signature.
    for name in ("SHA256SUMS", "SHA256SUMS.sig"):
        sh("mcopy", "-n", "-i", signed, f"::{name}", story_dir() / name)
    (story_dir() / "allowed").write_text("me " + key.with_suffix(".pub").read_text())
    sh("sh", "-c", f"cd {story_dir()} && ssh-keygen -Y verify -n health-checker -f allowed -I me -s SHA256SUMS.sig <SHA256SUMS")

    with Machine(etc, first_boot=True, drives=[replaced_by(unsigned)]) as m:
        trust(m, key)
        for drive, says in (
            (replaced_by(unsigned), "there is no SHA256SUMS with it: this machine takes only what is signed"),
            (replaced_by(foreign), "not signed by any of this machine's keys: admin.pub"),
            (Stick("COMBUSTION", {**FILES, "combustion/more": "", **sums()}), "combustion/more is not in SHA256SUMS: nobody has signed it"),
        ):
            m.drives = [drive]
            m.start()
            m.wait_console(f"FIRST BOOT FAILED: .*{says}")
            m.power_cut()
            with m.offline() as top:
                assert top.snapshots() == [1] and top.default() == 1

        m.drives = [replaced_by(signed)]
        m.boot()
        assert m.sh("cat /etc/hostname /root/key") == "configured\nsecret"
        assert "signed by: admin.pub" in m.sh("health-checker firstboot status")
        assert not m.run("ls /dev/shm/combustion"), "what was signed is left behind"

        # Asked for again, and not signed: a finished machine that somebody plugs a stick into.
        m.poweroff()
        m.drives, m.cmdline = [VirtioDisk("COMBUSTION", FILES)], "combustion.firstboot"
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*takes only what is signed")

    with Machine(etc, first_boot=True, drives=[replaced_by(made("cd", kind="iso"), Cdrom)]) as m:
        m.boot()
        assert m.sh("cat /root/key") == "secret"

    with Web({"/more": [Answer("#cloud-config\nhostname: forged\n"), Answer(MORE)]}) as web:
        address = f"{web.url}/more#sha256={hashlib.sha256(MORE.encode()).hexdigest()}"
        seed = {"user-data": f"#include\n{address}\n", "meta-data": "instance-id: i-1\n"}
        drives = [replaced_by(made("seed", "--sign", key, kind="iso", files=seed), Cdrom)]
        with Machine(etc, first_boot=True, network=True, drives=drives) as m:
            trust(m, key)
            m.start()
            m.wait_console("FIRST BOOT FAILED: .*nothing is applied")
            m.wait_console(rf"user-data:2:1: error: cannot fetch {web.url}/more.*what is there is not what its address says")
            m.power_cut()
            m.boot()
            assert m.sh("cat /etc/hostname") == "included"
            assert "signed by: admin.pub" in m.sh("health-checker firstboot status")


def trust(m: Machine, key: Path) -> None:
    with m.offline() as top, top.writable(1) as root:
        keys = root / "usr/lib/health-checker/firstboot.keys"
        keys.mkdir(parents=True)
        shutil.copy(key.with_suffix(".pub"), keys / "admin.pub")


def sums() -> dict[str, str]:
    return {name: (story_dir() / name).read_text() for name in ("SHA256SUMS", "SHA256SUMS.sig")}
