"""Whatever the settings name, there is no ordering cycle, and the assessment starts."""

from bed import Container

SHORT = True
ETC = ("overlay",)

UNITS = """
cat >/etc/systemd/system/late.service <<E
[Unit]
After=multi-user.target default.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/true
[Install]
WantedBy=multi-user.target
E
sed 's/^After=.*/After=boot-complete.target/' /etc/systemd/system/late.service >/etc/systemd/system/blessed.service
cat >/etc/systemd/system/bless.service <<E
[Unit]
DefaultDependencies=no
Requires=boot-complete.target
After=local-fs.target boot-complete.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/true
E
systemctl enable late.service blessed.service
mkdir -p /etc/health-checker
cat >/etc/health-checker/cycle.yaml <<E
checks:
  self: {unit: health-checker.service, required: false}
  complete: {unit: boot-complete.target, required: false}
  blessed: {unit: blessed.service, required: false}
  default: {unit: default.target}
  multi-user: {unit: multi-user.target}
  late: {unit: late.service}
E
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        # Nothing else pulls it in here: there is no boot counting.
        assert not c.run("systemctl is-active boot-complete.target")
        c.sh(UNITS)
        c.reboot()
        assert c.status()["health"] == "healthy", c.status()
        for boots_counted in (False, True):
            if boots_counted:
                # As systemd-bless-boot-generator does it where boots are counted.
                c.sh("systemctl add-wants basic.target bless.service && systemctl daemon-reload")
                c.reboot()
                units = ("boot-complete.target", "bless.service", "blessed.service", "late.service", "multi-user.target")
                # What systemd says of a cycle comes before the journal; the job that it drops is missing.
                assert c.sh(f"systemctl is-active {' '.join(units)}").split() == ["active"] * len(units)
                assert c.status()["health"] == "healthy", c.status()
            assert "After=late.service" in c.sh("systemctl cat health-checker.service")
            assert "After=blessed" not in c.sh("systemctl cat health-checker.service")
