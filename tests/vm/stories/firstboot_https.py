"""A script over https: from a server that the machine trusts, also where another one points there, and from no other."""

from pathlib import Path

from bed import Answer, Machine, Web, cpio_of
from bed.base import image_dir, sh, story_dir

ETC = ("overlay",)
#: Where Debian has the certificates that the system trusts, and dracut copies them from.
TRUSTED = "etc/ssl/certs/ca-certificates.crt"
SCRIPT = "#!/bin/bash\necho 'over https' >/etc/hostname\n"


def certificate() -> tuple[Path, Path]:
    """An authority's, and a server's, with its key."""
    sh("bash", "-c", f"""cd {story_dir()}
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours -keyout ca.key -out ca.crt \
            -addext keyUsage=critical,keyCertSign
        openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr
        printf 'subjectAltName=IP:10.0.2.2\\nbasicConstraints=CA:FALSE\\n' >ext
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 2 -extfile ext -out server.crt
        cat server.key server.crt >server.pem""")
    return story_dir() / "ca.crt", story_dir() / "server.pem"


def story(etc: str) -> None:
    ca, server = certificate()
    with Web({"/script": SCRIPT}, server) as web, Web({"/": Answer(status=301, location=f"{web.url}/script")}) as plain:
        with Machine(etc, first_boot=True, network=True, cmdline=f"combustion.url={web.url}/script") as m:
            m.start()
            m.wait_console(rf"FIRST BOOT FAILED: .*{web.url}/script.*UnknownIssuer")
            m.wait_console("Entering emergency mode")
            m.power_cut()
            assert not web.asked, web.asked
            with m.offline() as top:
                assert top.snapshots() == [1] and top.default() == 1

            # An initrd that was made where the system trusts the server's authority.
            m.initrd = story_dir() / "initrd"
            m.initrd.write_bytes((image_dir() / "initrd").read_bytes() + cpio_of({TRUSTED: ca.read_bytes()}))
            m.cmdline = f"combustion.url={plain.url}/"
            m.boot()
            assert m.booted() == m.default() == 2 and web.asked == ["/script"], web.asked
            assert m.sh("cat /etc/hostname") == "over https"
            result = m.sh("health-checker firstboot status")
            assert f"source: {plain.url}/ (combustion.url)" in result, result
