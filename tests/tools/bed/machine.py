"""A whole machine in QEMU: kernel, initrd, systemd, drives, power cuts."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import kvm
from .agent import Agent, Qmp
from .base import TALLY, image_dir, story_dir
from .console import Console
from .disk import Disk, Top
from .drives import Drive
from .guest import Failed, Gone, Guest, Result, TooLate

_count = itertools.count(1)

#: What makes an emulated boot faster and is no part of what is tested.
_FASTER = (
    "console=ttyS0 panic=-1 quiet systemd.show_status=0 mitigations=off audit=0 apparmor=0 "
    "nokaslr cryptomgr.notests=1 no_timer_check tsc=reliable systemd.gpt_auto=0 modprobe.blacklist="
    "aesni_intel,ghash_clmulni_intel,sha1_ssse3,sha256_ssse3,sha512_ssse3,crct10dif_pclmul,"
    "polyval_clmulni,irqbypass,ccp,floppy,pcspkr,psmouse,i2c_piix4,serio_raw,evdev,button"
)
#: The same, at the price of being another kernel than anybody starts: not where time is measured. It takes a third
#: of a boot's work away. At each boot systemd compiles a program for the security module bpf, a source of
#: randomness that nobody asks is tried out, pages are cleared twice, and each new unit waits for RCU.
_CHEAPER = (
    "lsm=lockdown,yama,apparmor initcall_blacklist=jent_mod_init init_on_alloc=0 cgroup_favordynmods=1 "
    "rcupdate.rcu_expedited=1 transparent_hugepage=never hardened_usercopy=off randomize_kstack_offset=off"
)
_NETWORK = "systemd.wants=systemd-networkd.service systemd.wants=systemd-resolved.service"


class Machine(Guest):
    """One test machine with a disk of its own. Every boot is a fresh QEMU, as after a reset.

    etc         `overlay` or `nested`
    first_boot  True: no machine-id yet, so this is a first boot
    drives      what is plugged in at power on; assign to `drives` between boots to change it
    cmdline     more kernel arguments
    icount      guest time that can be compared between runs, at half the speed
    disk        a disk of its own, if not a fresh copy of the image's
    initrd      another than the image's; assigned between boots
    log_writes  every write and flush of the disk goes to a log too, one in `write_logs` a start
    """

    def __init__(
        self, etc: str = "overlay", *, first_boot: bool = False, drives: Sequence[Drive] = (),
        cmdline: str = "", memory: int = 1024, icount: bool = False, network: bool = False,
        extra: Sequence[str] = (), disk: Disk | None = None, log_writes: bool = False,
    ) -> None:
        self.disk = disk or Disk(etc)
        if not first_boot and disk is None:
            self.disk.finish_first_boot()
        self.etc, self.drives, self.cmdline = etc, list(drives), cmdline
        self.memory, self.icount, self.network, self.extra = memory, icount, network, list(extra)
        self.initrd: Path | None = None
        self.name = f"machine{next(_count)}"
        self.console_log = story_dir() / f"{self.name}.console"
        self.log_writes = log_writes
        self.write_logs: list[Path] = []
        self.qemu: subprocess.Popen[bytes] | None = None
        TALLY.guests.append(self)

    def close(self) -> None:
        self.power_cut()

    def running(self) -> bool:
        return self.qemu is not None

    def console_tail(self) -> str:
        return self.console.tail() if hasattr(self, "console") else "(never started)"

    # Power

    def start(self) -> None:
        """Power on; returns at once."""
        assert self.qemu is None, "it is on already"
        self.sockets = Path(tempfile.mkdtemp(prefix="hc-", dir="/run"))
        TALLY.boots += 1
        self.qemu = subprocess.Popen(
            self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )
        assert self.qemu.stdout
        self.console = Console(self.qemu.stdout, self.console_log, give_up=self.qemu.kill)
        try:
            self.agent = Agent(self.sockets / "agent")
            self.qmp = Qmp(self.sockets / "qmp")
        except OSError as error:
            raise Failed(f"QEMU did not start: {self.console.tail()}") from error

    def boot(self, wait: bool = True, timeout: float = 180) -> Machine:
        self.start()
        if wait:
            end = time.monotonic() + timeout
            self.wait_agent(timeout)
            self.settle(end - time.monotonic())
        return self

    def wait_agent(self, timeout: float = 120) -> str:
        """Until the booted system (not the initrd) answers; its boot id."""
        return self.agent.hello(timeout)

    def wait_end(self, timeout: float = 120) -> str:
        assert self.qemu
        try:
            self.qemu.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TooLate(f"still on after {timeout:.0f} s\n{self.console.tail()}") from error
        self.console.thread.join(5)
        with self.qmp.changed:
            self.qmp.changed.wait_for(lambda: not self.qmp.open, 5)
        reason = self.qmp.shutdown_reason()
        panic = "Kernel panic" in self.console.text
        self._off()
        if panic:
            return "panic"
        return {"guest-reset": "reboot", "guest-shutdown": "poweroff"}.get(reason, reason or "killed")

    def power_cut(self) -> None:
        """The plug is pulled: nothing more reaches the disk."""
        if self.qemu:
            self.qemu.send_signal(signal.SIGKILL)
            self.qemu.wait()
            self.console.thread.join(5)
            self._off()

    def _off(self) -> None:
        self.agent.close()
        self.qmp.sock.close()
        if self.qemu and self.qemu.stdin:
            self.qemu.stdin.close()
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.qemu = None

    # While it runs

    def run(self, script: str, timeout: float = 60) -> Result:
        if not self.qemu:
            raise Gone("the machine is off")
        return self.agent.run(script, timeout)

    def wait_console(self, pattern: str, timeout: float = 120) -> str:
        """Until the console of this boot shows the pattern (for what the agent cannot see)."""
        return self.console.wait(pattern, timeout)

    def type(self, text: str) -> None:
        """Somebody types at the console."""
        assert self.qemu and self.qemu.stdin
        self.qemu.stdin.write(text.encode())
        self.qemu.stdin.flush()

    def plug(self, drive: Drive) -> None:
        """Hot-plug."""
        driver, *rest = drive.device().split(",")
        options = dict(item.split("=", 1) for item in rest)
        self.qmp.command(
            "blockdev-add", **{"driver": "raw", "node-name": drive.id, "read-only": True,
                               "file": {"driver": "file", "filename": str(drive.build())}},
        )
        if "removable" in options:
            options["removable"] = True  # type: ignore[assignment]
        self.qmp.command("device_add", driver=driver, **options)

    def unplug(self, drive: Drive) -> None:
        self.qmp.command("device_del", id=f"dev-{drive.id}")

    # While it is off

    @contextmanager
    def offline(self) -> Iterator[Top]:
        """The disk's top level, mounted, while the machine is off."""
        assert self.qemu is None, "the machine is on: its disk must not be mounted twice"
        with self.disk.mounted() as top:
            yield top

    # QEMU's command line

    def _command(self) -> list[str]:
        return [
            "qemu-system-x86_64", "-M", "pc", *self._processor(), "-m", str(self.memory),
            "-display", "none", "-nodefaults", "-monitor", "none", "-no-reboot", "-serial", "stdio",
            *self._loader(),
            *self._root_disk(),
            "-device", "virtio-blk-pci,drive=root",
            "-device", "virtio-rng-pci", "-device", "virtio-serial",
            "-chardev", f"socket,id=agent,path={self.sockets}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=hc.agent",
            "-qmp", f"unix:{self.sockets}/qmp,server=on,wait=off",
            "-device", "qemu-xhci,id=xhci",
            *(["-nic", "user,model=virtio-net-pci"] if self.network else []),
            *(word for drive in self.drives for word in drive.arguments()),
            *self.extra,
        ]

    def kernel_arguments(self) -> str:
        network = _NETWORK if self.network else ""
        root = "rw" if self.etc == "nested" else "ro"
        fast = _FASTER if self.icount else f"{_FASTER} {_CHEAPER}"
        return f"root=LABEL=ROOT {root} {fast} {network} {self.cmdline}".strip()

    def _loader(self) -> list[str]:
        """None: QEMU itself loads the kernel."""
        image = image_dir()
        return ["-kernel", str(image / "vmlinuz"), "-initrd", str(self.initrd or image / "initrd"),
                "-append", self.kernel_arguments()]

    def _root_disk(self) -> list[str]:
        if not self.log_writes:
            return ["-drive", f"if=none,id=root,file={self.disk.path},format=raw,cache=unsafe,discard=unmap"]
        log = story_dir() / f"{self.name}.writes{len(self.write_logs) + 1}"
        log.touch()
        self.write_logs.append(log)
        # Flushes reach the log and end there: `cache=unsafe` as a whole would keep them from it.
        below = "discard=unmap,cache.no-flush=on"
        return [
            "-blockdev", f"driver=file,node-name=disk-file,filename={self.disk.path},{below}",
            "-blockdev", "driver=raw,node-name=disk,file=disk-file,discard=unmap",
            "-blockdev", f"driver=file,node-name=log-file,filename={log},{below}",
            "-blockdev", "driver=raw,node-name=log,file=log-file",
            "-blockdev", "driver=blklogwrites,node-name=root,file=disk,log=log,log-sector-size=512,"
            "log-super-update-interval=1,discard=unmap",
        ]

    def _processor(self) -> list[str]:
        if self.icount:
            return ["-accel", "tcg,tb-size=512", "-smp", "1", "-cpu", "max",
                    "-icount", "shift=0,sleep=on"]
        if kvm.usable():
            return ["-accel", "kvm", "-smp", "2", "-cpu", "host"]
        return ["-accel", "tcg,thread=multi,tb-size=512", "-smp", "2", "-cpu", "max"]

