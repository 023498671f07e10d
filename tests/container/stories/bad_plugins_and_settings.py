"""Left-over files, a plugin without its execute bit and broken settings stop nothing, and are named."""

from bed import Container

SHORT = True
ETC = ("overlay",)
DIR = "@/usr/local/libexec/health-checker"


def story(etc: str) -> None:
    with Container(etc) as c:
        with c.offline() as top:
            fails = "#!/bin/sh\nexit 1\n"
            for name in ("net~", "net.rpmsave", ".net.swp"):
                top.write(f"{DIR}/{name}", fails, 0o755)
            top.write(f"{DIR}/readme", fails, 0o644)
            top.write(f"{DIR}/good", "#!/bin/sh\necho all right\n", 0o755)
        c.boot()
        c.sh("mkdir -p /etc/health-checker; printf 'checks:\\n  a: {unti: x}\\n' >/etc/health-checker/bad.yaml")
        c.reboot()
        status = c.status()
        assert status["health"] == "healthy", status
        by_name = {check["name"].split("/")[-1]: check for check in status["checks"]}
        assert by_name["good"]["outcome"] == "pass" and by_name["good"]["message"] == "all right"
        for name in ("net~", "net.rpmsave", ".net.swp", "readme"):
            assert by_name[name]["outcome"] == "skip", by_name[name]
        assert "chmod +x" in by_name["readme"]["message"]
        assert "/etc/health-checker/bad.yaml" in by_name["settings"]["message"]
        assert "line 2" in by_name["settings"]["message"], by_name["settings"]
        invalid = c.run("health-checker config check")
        assert invalid.code == 1 and "bad.yaml" in invalid.out
