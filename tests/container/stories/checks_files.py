"""Mounts, subvolumes, room and /etc: each check passes, and fails for what is really wrong."""

from bed import Container

SHORT = True


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("mkdir -p /srv/small && mount -t tmpfs -o size=1M small /srv/small")
        found = c.look(
            "small: {mount: /srv/small, type: tmpfs}",
            "xfs: {mount: /srv/small, type: xfs}",
            "room: {free_space: {path: /srv/small, at_least: 512KiB}}",
            "writes: {writable: /srv/small}",
            "usr: {writable: /usr}",
            "memory: {free_memory: 1MiB}",
            "memories: {free_memory: 100T}",
            "devices: {btrfs_errors: /}",
            "plain: {btrfs_errors: /srv/small}",
        )
        for name in ("small", "room", "writes", "memory", "devices", "etc", "subvolumes", "tmp"):
            assert found[name]["outcome"] == "pass", found[name]
        assert found["etc"]["message"].startswith({"overlay": "overlay with /var/lib/overlay/1/etc",
                                                   "nested": "btrfs /@/.snapshots/1/snapshot/etc"}[etc])
        assert found["devices"]["message"] == "1 device(s) without an error", found
        assert found["xfs"]["message"] == "tmpfs from small, not xfs", found
        assert "Read-only file system" in found["usr"]["message"], found
        assert not found["memories"]["required"] and "less than 100TiB" in found["memories"]["message"]
        assert "not btrfs" in found["plain"]["message"], found

        c.run("dd if=/dev/zero of=/srv/small/full bs=64K")
        full = c.look()
        assert full["room"]["message"] == "0B of 1MiB free, less than 512KiB", full
        assert "No space left" in full["writes"]["message"], full
        c.sh("umount /srv/small && umount /opt && mount --bind /home /srv && mount -o remount,ro,bind /tmp")
        gone = c.look()
        assert gone["small"]["message"] == "nothing is mounted at /srv/small", gone
        assert gone["subvolumes"]["message"] == "/opt is not mounted; /srv is /@/home, not /@/srv", gone
        assert "Read-only file system" in gone["tmp"]["message"], gone
        c.sh("mount -o remount,ro,bind /etc")
        done = c.run("health-checker check etc")
        assert done.code == 1 and "but cannot be written to: Read-only" in done.out, done.out
        c.sh("umount -l /etc")
        assert "not mounted, although fstab names it" in c.run("health-checker check etc").out
