"""User-data that people have works unchanged, from a stick and from a CD: users, keys, files and names before the first start, commands in it; and a second start runs only what is for every start."""

from bed import Cdrom, Machine, Stick

SHORT = True
ETC = ("overlay",)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl admin@desk"
USER_DATA = f"""#cloud-config
fqdn: web1.example.org
users:
  - default
  - name: alice
    groups: [adm, web]
    lock_passwd: false
    plain_text_passwd: wonderland
    ssh_authorized_keys: ['{KEY}']
write_files:
  - path: /etc/app/app.conf
    permissions: '0640'
    content: |
      answer = 42
  - {{path: /home/alice/note, owner: 'alice:alice', defer: true, content: hello}}
  - {{path: /usr/share/marker, content: from user-data}}
bootcmd:
  - echo boot >>/var/log/commands
runcmd:
  - [sh, -c, 'echo run $(hostname) >>/var/log/commands']
final_message: all is done
"""
META = "instance-id: i-1\nlocal-hostname: platform\n"
FILES = {"user-data": USER_DATA, "meta-data": META}


def story(etc: str) -> None:
    with Machine(etc, first_boot=True, drives=[Stick("cidata", FILES)]) as m:
        m.boot()
        assert m.booted() == m.default() == 2, "the boot did not go on into the new snapshot"
        assert m.sh("cat /etc/hostname /usr/share/marker; hostname") == "web1\nfrom user-dataweb1"
        assert m.sh("id -un alice; id -Gn alice | tr ' ' '\\n' | sort | tr '\\n' ' '") == "alice\nadm alice web"
        assert m.sh("stat -c '%a %U' /home/alice/.ssh /home/alice/.ssh/authorized_keys /home/alice/note /etc/app/app.conf") == (
            "700 alice\n600 alice\n644 alice\n640 root"
        )
        assert KEY in m.sh("cat /home/alice/.ssh/authorized_keys")
        # The system's own judgement of what was written.
        m.sh("pwck -qr; grpck -qr")
        m.sh("echo wonderland | su -s /bin/sh -c 'su -c true alice' nobody")
        m.wait_for("grep -q run /var/log/commands")
        assert m.sh("cat /var/log/commands") == "boot\nrun web1"
        m.wait_for("test -e /var/lib/cloud/instance/boot-finished")
        instance = m.sh("cat /etc/health-checker/instance.json")
        assert '"instance_id": "i-1"' in instance and '"datasource": "NoCloud"' in instance
        assert "cidata" in m.sh("health-checker firstboot status")
        assert m.status()["firstboot"]["instance_id"] == "i-1"
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"
        m.sh("test ! -e /dev/shm/combustion")

        m.reboot()
        assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
        m.wait_for("test $(grep -c boot /var/log/commands) = 2")
        assert m.sh("cat /var/log/commands") == "boot\nrun web1\nboot"
        m.poweroff()

    # What is wrong is named with its line, and nothing of it is applied.
    wrong = USER_DATA.replace("permissions: '0640'", "permissions: rw-r--r--")
    with Machine(etc, first_boot=True, drives=[Cdrom("CIDATA", FILES | {"user-data": wrong})]) as m:
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*CIDATA.*nothing is applied")
        m.wait_console("user-data:12:18: error: permissions must be a mode in octal digits")
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
