"""Safe mode ends no session, by service or by socket; and a login that was closed stays closed."""

from bed import Container, Outside

SHORT = True
ETC = ("overlay",)


def enter(c: Container) -> None:
    c.sh("mkdir -p /etc/health-checker")
    c.sh("echo 'checks: {no: {command: [/usr/bin/false]}}' >/etc/health-checker/no.yaml")
    c.run("health-checker assess --act")
    c.wait_for("systemctl is-active health-checker-safe.target")
    c.wait_for("! systemctl is-active webd.service")


def leave(c: Container) -> None:
    c.sh("rm /etc/health-checker/no.yaml; health-checker safe-mode leave")
    c.wait_for("systemctl is-active webd.service")
    c.wait_for("test -z \"$(systemctl list-jobs --no-legend)\"")


def lives(session: object) -> bool:
    session.stdin.write(b"still here\n")  # type: ignore[attr-defined]
    session.stdin.flush()  # type: ignore[attr-defined]
    return bool(session.stdout.readline() == b"still here\n")  # type: ignore[attr-defined]


def story(etc: str) -> None:
    with Container(etc, args=["health-checker-reboot=disabled"]) as c, Outside(c) as outside:
        c.boot()
        c.sh("mkdir -p /run/systemd/system/getty.target.wants; cd /run/systemd/system; "
             "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >container-getty@.service; "
             "ln -s ../container-getty@.service getty.target.wants/container-getty@7.service; "
             "systemctl daemon-reload; systemctl start container-getty@7.service")
        outside.prepare()
        outside.plug()
        c.sh("systemctl restart systemd-networkd")
        c.wait_for("ip -4 address show host0 | grep -q 10.99")

        by_service = outside.login("admin")
        assert lives(by_service)
        enter(c)
        assert lives(by_service)
        c.sh("systemctl is-active container-getty@7.service")
        c.sh("systemctl is-active user@$(id -u admin).service; test -d /run/user/$(id -u admin)")
        leave(c)
        assert lives(by_service)
        by_service.kill()

        # Each connection a service of its own.
        c.sh("systemctl stop ssh.service && systemctl start ssh.socket")
        by_socket = outside.login("admin")
        assert lives(by_socket)
        c.sh("systemctl list-units 'ssh@*' | grep -q running || systemctl is-active ssh.service")
        enter(c)
        assert lives(by_socket)
        assert outside.ssh("echo new", user="admin").out == "new"
        leave(c)
        by_socket.kill()

        # What is closed stays closed, enabled or not; the console as well.
        c.sh("systemctl stop ssh.socket ssh.service container-getty@7.service")
        enter(c)
        assert outside.ssh("true").code == 255
        assert c.sh("systemctl is-active ssh.service ssh.socket container-getty@7.service || true").split() \
            == ["inactive"] * 3
        assert not c.run("systemctl is-active rescue.service emergency.service"), "a shell that nobody asked for"
        leave(c)

        # An update may have broken the bus: safe mode needs none.
        c.sh("systemctl start ssh.service; systemctl mask -q --runtime --now dbus.socket dbus.service")
        enter(c)
        assert outside.ssh("id -un").out == "root"
        assert not c.run("systemctl is-active dbus.service"), "then this shows nothing"
