"""The words stories are written with. `from bed import Machine, Stick` is all a story needs."""

from .container import Container
from .drives import Cdrom, Drive, Stick, VirtioDisk
from .guest import Failed, Gone, Guest, Result, TooLate, eventually
from .machine import Machine
from .outside import Outside

__all__ = [
    "Cdrom", "Container", "Drive", "Failed", "Gone", "Guest", "Machine", "Outside",
    "Result", "Stick", "TooLate", "VirtioDisk", "eventually",
]
