"""systemd on the disk's default subvolume, without kernel, initrd and drives: a boot takes a second.

A reboot is what a reboot is for this project: everything unmounted, the default subvolume evaluated
anew, systemd started again.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .base import TALLY, sh, story_dir
from .console import Console
from .disk import Disk, Top
from .guest import Gone, Guest, Result, TooLate

_CGROUPS = Path("/sys/fs/cgroup")
_REBOOT = 133


def remove_cgroups(top: Path, timeout: float = 5) -> None:
    """Removes a tree of control groups, once the last killed process has left it."""
    end = time.monotonic() + timeout
    for path in [*sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True), top]:
        while True:
            try:
                path.rmdir()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)


def _never_stopped(process: int) -> None:
    """Lets nsenter, by its pidfd, go on whenever it stops, until it has ended.

    A shutdown stops all processes before it kills them, and nsenter stops with the one that it waits
    for: it would not bury that one, and the container would wait for the funeral.
    """
    try:
        wanted = os.WSTOPPED | os.WEXITED | os.WNOWAIT
        while (event := os.waitid(os.P_PIDFD, process, wanted)) and event.si_code == os.CLD_STOPPED:
            signal.pidfd_send_signal(process, signal.SIGCONT)
    except (ChildProcessError, ProcessLookupError):
        pass
    finally:
        os.close(process)


class Notify:
    """What systemd in the container says of itself: that it started, and that it is up."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.changed = threading.Condition()
        self.leader: int | None = None
        self.ready = False
        self.closed = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while text := self.sock.recv(8192).decode(errors="replace"):
            with self.changed:
                if match := re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", text, re.MULTILINE):
                    self.leader = int(match.group(1))
                if re.search(r"^READY=1$", text, re.MULTILINE):
                    self.ready = True
                self.changed.notify_all()

    def close(self) -> None:
        """From the container's end: who waits must not wait longer."""
        with self.changed:
            if self.closed:
                return
            self.closed = True
            self.changed.notify_all()
        # Wakes the reader. Closed under it, the socket's number would be the next one's, and the
        # old reader would steal the new container's messages.
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()


class Container(Guest):
    """One system in a container, with a disk of its own.

    etc    `overlay` or `nested`
    args   for the container's init; they stand for the kernel command line

    `chosen` is the snapshot that somebody chose in the boot menu, in place of the default.
    """

    def __init__(self, etc: str = "overlay", *, args: Sequence[str] = ()) -> None:
        self.disk = Disk(etc)
        self.disk.finish_first_boot()
        self.args = list(args)
        self.chosen: int | None = None
        self.root = story_dir() / "root"
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        TALLY.guests.append(self)

    def close(self) -> None:
        if self.process:
            self._kill()
            self._unmount()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None and self.notify.leader is not None

    def console_tail(self) -> str:
        return self.console.tail() if hasattr(self, "console") else "(never started)"

    # Power

    def start(self) -> None:
        assert self.process is None, "it is on already"
        self.starts += 1
        self._mount()
        self.cgroup = Path(tempfile.mkdtemp(prefix=f"hc-{story_dir().name}-", dir=_CGROUPS))
        self.sockets = Path(tempfile.mkdtemp(prefix="hc-", dir="/run"))
        socket_path = self.sockets / "notify"
        self.notify = Notify(socket_path)
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self.cgroup),
             *self._command()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                 "NOTIFY_SOCKET": str(socket_path)},
        )
        assert self.process.stdout
        self.console = Console(self.process.stdout, story_dir() / "container.console")
        threading.Thread(target=self._watch, args=(self.process, self.notify), daemon=True).start()
        self._until(lambda: self.notify.leader is not None, 20, "the container's init")

    def boot(self, wait: bool = True, timeout: float = 60) -> Container:
        self.start()
        if wait:
            self._until(lambda: self.notify.ready, timeout, "the end of the start")
            self.settle(timeout)
        return self

    def wait_end(self, timeout: float = 60) -> str:
        assert self.process
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TooLate(f"still running after {timeout:.0f} s\n{self.console.tail()}") from error
        self._stopped()
        self._unmount()
        return {0: "poweroff", _REBOOT: "reboot"}.get(code, f"exit {code}")

    def power_cut(self) -> None:
        """Everything stops at once; only what had reached the disk is there afterwards."""
        assert self.process
        (self.cgroup / "cgroup.freeze").write_text("1")
        survives = self.disk.copy()
        self._kill()
        self._unmount()
        self.disk.path.unlink()
        self.disk = survives

    # While it runs

    def run(self, script: str, timeout: float = 60) -> Result:
        if not self.running():
            raise Gone("the container is not running")
        assert self.process
        command = ["nsenter", "-t", str(self.notify.leader), "-m", "-u", "-i", "-p", "-n", "-C",
                   "-r", "-w", "setsid", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                   "bash", "-c", script]
        entered = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )
        threading.Thread(target=_never_stopped, args=(os.pidfd_open(entered.pid),), daemon=True).start()
        try:
            out, err = entered.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # The shell and its children, which have a session of their own. nsenter has to bury the
            # shell: a container with a dead process that nobody buries never ends.
            for shell in Path(f"/proc/{entered.pid}/task/{entered.pid}/children").read_text().split():
                os.killpg(int(shell), signal.SIGKILL)
            out, err = entered.communicate()
            return Result(124, out, err)
        if entered.returncode < 0 and self.process.poll() is not None:
            raise Gone("the container has ended")
        return Result(entered.returncode if entered.returncode >= 0 else 128 - entered.returncode, out, err)

    def wait_console(self, pattern: str, timeout: float = 30) -> str:
        return self.console.wait(pattern, timeout)

    # While it is off

    @contextmanager
    def offline(self) -> Iterator[Top]:
        assert self.process is None, "the container runs: its disk must not be mounted twice"
        with self.disk.mounted() as top:
            yield top

    # How it is made

    def _command(self) -> list[str]:
        return [
            "systemd-nspawn", "--quiet", "--directory", str(self.root), "--machine=microbox",
            "--register=no", "--keep-unit", "--link-journal=no", "--capability=all",
            "--private-network", "--console=pipe", "--notify-ready=yes", "--resolv-conf=off",
            f"--bind={self.device}", "--boot", "fstab=no", *self.args,
        ]

    def _mount(self) -> None:
        """What the initrd and fstab would mount, from the default subvolume's own fstab."""
        # nspawn's own traces: those of a killed container would refuse the next.
        subprocess.run(["umount", "-q", "-R", "/run/systemd"], check=False)
        Path("/run/systemd").mkdir(exist_ok=True)
        sh("mount", "-t", "tmpfs", "tmpfs", "/run/systemd")
        self.root.mkdir(exist_ok=True)
        chosen = f",subvol=@/.snapshots/{self.chosen}/snapshot" if self.chosen else ""
        sh("mount", "-o", f"loop,noatime{chosen}", self.disk.path, self.root)
        self.device = sh("findmnt", "-no", "SOURCE", self.root).strip().split("[")[0]
        for line in (self.root / "etc/fstab").read_text().splitlines():
            source, where, kind, options = (line.split() + [""] * 4)[:4]
            target = f"{self.root}{where}"
            if match := re.search(r"subvol=([^,\s]+)", options):
                sh("mount", "-o", f"noatime,subvol={match.group(1)}", self.device, target)
            elif kind == "overlay":
                layers = re.findall(r"((?:lower|upper|work)dir)=([^,\s]+)", options)
                there = ",".join(f"{k}={v.replace('/sysroot', str(self.root))}" for k, v in layers)
                sh("mount", "-t", "overlay", "-o", there, "overlay", target)
            elif "bind" in options:
                sh("mount", "--bind", target, target)

    def _unmount(self) -> None:
        end = time.monotonic() + 10
        while True:  # killed processes let go of their mounts a moment later
            try:
                sh("umount", "-R", self.root)
                return
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _kill(self) -> None:
        assert self.process
        (self.cgroup / "cgroup.kill").write_text("1")
        self.process.wait(10)
        self._stopped()

    def _stopped(self) -> None:
        self.notify.close()
        self.console.thread.join(5)
        self.process = None
        shutil.rmtree(self.sockets, ignore_errors=True)
        remove_cgroups(self.cgroup)

    @staticmethod
    def _watch(process: subprocess.Popen[bytes], notify: Notify) -> None:
        process.wait()
        notify.close()

    def _until(self, done: object, timeout: float, what: str) -> None:
        assert callable(done)
        with self.notify.changed:
            if not self.notify.changed.wait_for(lambda: done() or self.notify.closed, timeout):
                raise TooLate(f"{what}: not within {timeout:.0f} s\n{self.console.tail()}")
        if not done():
            raise Gone(f"ended before {what}\n{self.console.tail()}")
