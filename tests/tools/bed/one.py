"""Runs one story: `python3 -m bed.one FILE [LAYOUT]`. Its failure is told with the guests' last words.

Exit status: 0 as told; 1 failed; EMULATOR_FAILED if that was no fault of what is tested.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import traceback
from pathlib import Path

from .base import TALLY, story_dir
from .console import TIMER_LOST

#: sysexits.h's EX_TEMPFAIL.
EMULATOR_FAILED = 75
#: QEMU's own assertions. Emulating two processors, it now and then fails one (iotlb_to_section).
_ASSERTION = re.compile(rb"^(qemu-system-\S+: .*Assertion .* failed|ERROR:\S+: assertion failed)", re.MULTILINE)


def _emulator_failed() -> bool:
    consoles = [console.read_bytes() for console in story_dir().glob("*.console")]
    return any(_ASSERTION.search(text) or TIMER_LOST in text.decode(errors="replace") for text in consoles)


def _guests_last_words() -> None:
    for guest in TALLY.guests:
        try:
            print(guest.told or guest.last_words())
        except Exception as error:  # the story's own failure must be reported all the same
            print(f"(no last words: {error})")


def main() -> int:
    path, etc = Path(sys.argv[1]), (sys.argv[2:] or [""])[0]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    code = 1
    try:
        spec.loader.exec_module(module)
        module.story(*([etc] if etc else []))
        code = 0
    except (Exception, KeyboardInterrupt):
        frames = traceback.format_exc().splitlines()
        print("\n".join(frames))
        _guests_last_words()
        if _emulator_failed():
            code = EMULATOR_FAILED
    finally:
        for guest in TALLY.guests:
            guest.close()
        (story_dir() / "tally").write_text(json.dumps({"boots": TALLY.boots}))
    return code


if __name__ == "__main__":
    sys.exit(main())
