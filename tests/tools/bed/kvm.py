"""Whether hardware virtualisation really runs a guest.

/dev/kvm proves nothing: on some machines it opens, accepts every ioctl and then hangs for ever.
"""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

from .base import CACHE, image_dir

_CODE = bytes.fromhex(
    "bfaddee1fe"  # mov edi, 0xfee1dead   reboot's first magic number
    "be69191228"  # mov esi, 672274793    and its second
    "badcfe2143"  # mov edx, 0x4321fedc   power off
    "b8a9000000"  # mov eax, 169          reboot
    "0f05ebfe"    # syscall; for ever
)


def _init() -> bytes:
    """The smallest static program that powers off."""
    entry = 0x400078
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = 0x78 + len(_CODE)
    header += struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 0x1000)
    return header + _CODE


def _cpio(name: str, data: bytes, mode: int) -> bytes:
    """One member of an initramfs archive (newc)."""
    raw = name.encode() + b"\0"
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)


def _guest_runs() -> bool:
    initrd = CACHE / f"kvm-probe-{os.getpid()}.cpio"
    initrd.write_bytes(_cpio("init", _init(), 0o100755) + _cpio("TRAILER!!!", b"", 0))
    command = [
        "qemu-system-x86_64", "-M", "pc", "-accel", "kvm", "-cpu", "host", "-m", "256",
        "-display", "none", "-nodefaults", "-no-reboot", "-kernel", str(image_dir() / "vmlinuz"),
        "-initrd", str(initrd), "-append", "panic=-1 quiet",
    ]
    try:
        # Not run(): its kill waits, and a process stuck in /dev/kvm may not end.
        guest = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return guest.wait(timeout=10) == 0
        except subprocess.TimeoutExpired:
            guest.kill()
            return False
    finally:
        initrd.unlink()


def usable() -> bool:
    """Probed once per start of this computer; HC_KVM=0 or 1 decides without a probe."""
    if "HC_KVM" in os.environ:
        return os.environ["HC_KVM"] == "1"
    if not Path("/dev/kvm").exists():
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = CACHE / "kvm"
    if not answer.exists() or answer.read_text().split()[:1] != [boot]:
        answer.write_text(f"{boot} {'yes' if _guest_runs() else 'no'}\n")
    return answer.read_text().split()[1] == "yes"
