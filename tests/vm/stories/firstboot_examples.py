"""Every example does what it says."""

from collections.abc import Callable
from pathlib import Path

from bed import Machine, Stick
from bed.base import REPO, sh, story_dir

ETC = ("overlay",)
TIMEOUT = 900
EXAMPLES = REPO / "combustion-examples"


def files(name: str, **changed: str | bytes) -> dict[str, str | bytes]:
    tree = EXAMPLES / name
    found: dict[str, str | bytes] = {str(it.relative_to(tree)): it.read_bytes() for it in tree.rglob("*") if it.is_file()}
    return found | {f"combustion/{path}": content for path, content in changed.items()}


def ssh_keys(m: Machine) -> None:
    m.sh("ssh-keygen -q -t ed25519 -N '' -f /root/none && systemctl start ssh")
    (story_dir() / "key").chmod(0o600)
    m.sh(f"cat >/root/key <<'END'\n{(story_dir() / 'key').read_text()}END\nchmod 600 /root/key")
    ask = "ssh -o StrictHostKeyChecking=no -o BatchMode=yes admin@127.0.0.1 -i"
    assert m.sh(f"{ask} /root/key id -un 2>/dev/null") == "admin"
    assert not m.run(f"{ask} /root/none true"), "any key is as good"
    assert "passwordauthentication no" in m.sh("sshd -T")
    m.sh("systemctl is-enabled ssh.service")


def static_network(m: Machine) -> None:
    assert m.sh("stat -c %a /etc/NetworkManager/system-connections/wired.nmconnection") == "600"
    assert m.sh("cat /etc/hostname") == "edge-1"


def packages(m: Machine) -> None:
    assert m.sh("cat /usr/share/hc-example") == "from a package"
    m.sh("rpm -q hc-example")


def container_host(m: Machine) -> None:
    assert m.status()["health"] == "healthy", m.status()
    m.sh("grep -q 'PublishPort=80:80' /etc/containers/systemd/web.container")
    assert "50-web.yaml" in m.sh("health-checker config show"), "its check is not in force"


def quadlets(m: Machine) -> None:
    """Puts a generator into the image that makes of the quadlet what podman's would, but for the container."""
    with m.offline() as top, top.writable(1) as root:
        generator = root / "usr/lib/systemd/system-generators/podman-system-generator"
        generator.write_text(
            "#!/bin/sh\n[ ! -e /etc/containers/systemd/web.container ] || "
            "{ printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n' >$1/web.service\n"
            "mkdir -p $1/multi-user.target.wants && ln -s ../web.service $1/multi-user.target.wants/; }\n"
        )
        podman = root / "usr/bin/podman"
        podman.write_text("#!/bin/sh\n")
        for program in (generator, podman):
            program.chmod(0o755)


def encrypted_volume(m: Machine) -> None:
    assert m.sh("findmnt -no SOURCE /data") == "/dev/mapper/data"
    m.sh("cryptsetup isLuks /dev/vdb")
    assert m.sh("stat -c %a /etc/cryptsetup-keys.d/data.key") == "600"


def package() -> bytes:
    spec = story_dir() / "hc-example.spec"
    spec.write_text(
        "Name: hc-example\nVersion: 1\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n"
        "%description\nA test.\n%install\nmkdir -p %{buildroot}/usr/share\n"
        "echo 'from a package' >%{buildroot}/usr/share/hc-example\n%files\n/usr/share/hc-example\n"
    )
    sh("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {story_dir()}/rpm", spec)
    return next(Path(story_dir() / "rpm/RPMS/noarch").glob("*.rpm")).read_bytes()


def story(etc: str) -> None:
    key = story_dir() / "key"
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    cases: list[tuple[str, Callable[[Machine], None], dict[str, str | bytes]]] = [
        ("ssh-keys", ssh_keys, {"authorized_keys": key.with_suffix(".pub").read_text()}),
        ("static-network", static_network, {}),
        ("packages", packages, {"packages/hc-example.rpm": package()}),
        ("container-host", container_host, {}),
        ("encrypted-volume", encrypted_volume, {}),
    ]
    known = {it.name for it in EXAMPLES.iterdir() if it.is_dir()} - {"hello"}
    assert known == {name for name, _, _ in cases}, "an example that nobody runs"
    for name, check, changed in cases:
        drives = [Stick("COMBUSTION", files(name, **changed))]
        network = name == "static-network"
        second = story_dir() / "second.raw"
        second.unlink(missing_ok=True)
        sh("truncate", "-s", "64M", second)
        extra = ["-drive", f"if=none,id=second,file={second},format=raw", "-device", "virtio-blk-pci,drive=second"]
        with Machine(etc, first_boot=True, drives=drives, network=network, extra=extra) as m:
            if name == "container-host":
                quadlets(m)
            m.boot()
            assert m.booted() == m.default() == 2, f"{name}: {m.console_tail()}"
            check(m)
            assert not m.sh("systemctl --failed --plain --no-legend"), name
