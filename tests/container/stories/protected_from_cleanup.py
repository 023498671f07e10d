"""snapper's own clean-up deletes an unprotected neighbour and leaves what is known good."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("sed -i -e 's/^NUMBER_MIN_AGE=.*/NUMBER_MIN_AGE=\"0\"/' -e 's/^NUMBER_LIMIT=.*/NUMBER_LIMIT=\"1\"/'"
             " -e 's/^NUMBER_LIMIT_IMPORTANT=.*/NUMBER_LIMIT_IMPORTANT=\"1\"/' /etc/snapper/configs/root")
        c.update()
        c.reboot()
        assert c.status()["snapshot"]["known_good"] == [1, 2]
        for _ in range(3):
            c.sh("snapper --no-dbus create --cleanup-algorithm number")
        # As transactional-update's clean-up leaves a known good snapshot.
        c.sh("snapper --no-dbus modify --cleanup-algorithm number --userdata important=yes 1")
        assert c.update() == 6
        c.reboot()
        # The verdict on the successor has put the protection back, for the newest two.
        assert c.status()["snapshot"]["known_good"] == [1, 2, 6]
        # By a snapperd that runs on, with what it has read in its memory.
        c.sh("snapper list && snapper modify --cleanup-algorithm number --userdata important=yes 2")
        c.sh("systemctl start snapper-cleanup.service")
        c.wait_for("! systemctl is-active snapper-cleanup.service")
        left = c.snapshots()
        assert 2 in left and 6 in left, left
        assert 3 not in left and 4 not in left, left
