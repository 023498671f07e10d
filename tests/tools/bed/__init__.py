"""The words stories are written with. `from bed import Machine, Stick` is all a story needs."""

from .container import Container
from .cpio import cpio_of, cpio_without
from .damages import DAMAGE_WEBD, HANG_BEFORE_SYSINIT, HANG_BEFORE_VERDICT
from .drives import Cdrom, Drive, Stick, VirtioDisk
from .grub import GrubMachine
from .guest import Failed, Gone, Guest, Result, TooLate, eventually
from .machine import Machine
from .others import EncryptedDisk, LogicalVolumeDisk, PlainDisk
from .outside import Outside
from .uefi import UefiMachine
from .web import Answer, Web

__all__ = [
    "DAMAGE_WEBD", "HANG_BEFORE_SYSINIT", "HANG_BEFORE_VERDICT", "Answer", "Cdrom", "Container", "Drive", "EncryptedDisk", "Failed",
    "Gone", "GrubMachine", "Guest", "LogicalVolumeDisk", "Machine", "Outside", "PlainDisk", "Result", "Stick", "TooLate", "UefiMachine", "VirtioDisk",
    "Web", "cpio_of", "cpio_without", "eventually",
]
