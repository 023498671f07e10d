"""Debian packages of the tools tree in the machine's system: what only one test needs there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .base import sh

#: Where dpkg keeps what is installed, below a root.
_STATUS, _LISTS = "var/lib/dpkg/status", "var/lib/dpkg/info"


def install(root: Path, *packages: str) -> None:
    """Their files, and those of what they need that the system has not got. None of their scripts runs:
    what these made of Python's modules is copied with them."""
    there = set(_installed(root))
    files = [file for name in _needed(packages, there) for file in _files(name)]
    files += [made for file in files for made in _compiled(file)] + _alternatives(set(files))
    listed = "".join(f"{file}\n" for file in files).encode()
    archive = ["tar", "--create", "--directory=/", "--no-recursion", "--files-from=-"]
    packed = subprocess.run(archive, input=listed, stdout=subprocess.PIPE, check=True).stdout
    sh("tar", "--extract", f"--directory={root}", "--keep-directory-symlink", data=packed)


def _installed(root: Path) -> dict[str, list[list[str]]]:
    """Packages, and those they provide, with what they depend on: a choice for each."""
    found = {}
    for entry in (root / _STATUS).read_text().split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", entry, re.MULTILINE))
        if fields.get("Status") != "install ok installed":
            continue
        depends = ", ".join(fields[key] for key in ("Pre-Depends", "Depends") if key in fields)
        choices = [_names(choice, "|") for choice in depends.split(",") if choice.strip()]
        for name in [fields["Package"], *_names(fields.get("Provides", ""), ",")]:
            # What provides another one does not stand for it where that is there itself.
            if name == fields["Package"] or name not in found:
                found[name] = choices
    return found


def _names(text: str, separator: str) -> list[str]:
    """Without versions and architectures."""
    words = (part.split() for part in text.split(separator))
    return [found[0].split(":")[0] for found in words if found]


def _needed(packages: tuple[str, ...], there: set[str]) -> list[str]:
    here = _installed(Path("/"))
    found: list[str] = []
    left = list(packages)
    while left:
        name = left.pop()
        if name in there or name in found:
            continue
        found.append(name)
        for choice in here[name]:
            left += [it for it in choice if it in here][:1]
    return found


def _files(package: str) -> list[str]:
    """Relative to the root; documentation was never unpacked. A package that is only provided has none."""
    lists = [*Path("/", _LISTS).glob(f"{package}.list"), *Path("/", _LISTS).glob(f"{package}:*.list")]
    paths = [line for it in lists for line in it.read_text().splitlines()]
    return [f".{path}" for path in paths if path != "/." and Path(path).is_symlink() | Path(path).exists()]


def _alternatives(files: set[str]) -> list[str]:
    """Links by which one of these is known (update-alternatives(1)): the second line names the link."""
    real = {Path("/", file).resolve() for file in files}
    found = []
    for about in Path("/var/lib/dpkg/alternatives").iterdir():
        chosen = Path("/etc/alternatives", about.name)
        if chosen.resolve() in real:
            found += [f".{about.read_text().splitlines()[1]}", f".{chosen}"]
    return found


def _compiled(file: str) -> list[str]:
    if not file.endswith(".py"):
        return []
    path = Path("/", file)
    made = list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))
    return [f"./{it.relative_to('/')}" for it in [path.parent / "__pycache__", *made]] if made else []
