"""Initrds as the kernel reads them: archives of cpio's `newc` format, one after another, uncompressed here
(the kernel's Documentation/driver-api/early-userspace/buffer-format.rst)."""

from __future__ import annotations

from collections.abc import Mapping

_MAGIC = b"070701"
_HEADER = 110


def _aligned(offset: int) -> int:
    return offset + -offset % 4


def cpio_without(archive: bytes, name: bytes) -> bytes:
    """The same archives without the files whose paths end with `name`: at least one must be there."""
    kept = bytearray()
    at, left_out = 0, 0
    while at < len(archive):
        if archive[at] == 0:  # between archives
            kept += archive[at:at + 4]
            at += 4
            continue
        assert archive[at:at + 6] == _MAGIC, f"no entry at {at}"
        size, length = (int(archive[at + field:at + field + 8], 16) for field in (54, 94))
        body = _aligned(at + _HEADER + length)
        end = _aligned(body + size)
        if archive[at + _HEADER:at + _HEADER + length - 1].endswith(name):
            left_out += 1
        else:
            kept += archive[at:end]
        at = end
    assert left_out, f"there is no {name!r} in it"
    return bytes(kept)


def cpio_of(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files, for the end of an initrd: their directories are there already."""
    made = bytearray()
    entries = [(path.encode(), content, 0o100600) for path, content in files.items()]
    for name, content, mode in [*entries, (b"TRAILER!!!", b"", 0)]:
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        made += _MAGIC + b"".join(b"%08x" % field for field in fields) + name + b"\0"
        made += b"\0" * (_aligned(len(made)) - len(made)) + content
        made += b"\0" * (_aligned(len(made)) - len(made))
    return bytes(made)
