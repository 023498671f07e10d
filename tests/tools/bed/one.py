"""Runs one story: `python3 -m bed.one FILE [LAYOUT]`. Its failure is told with the guests' last words."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from pathlib import Path

from .base import TALLY, story_dir


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
    finally:
        for guest in TALLY.guests:
            guest.close()
        (story_dir() / "tally").write_text(json.dumps({"boots": TALLY.boots}))
    return code


if __name__ == "__main__":
    sys.exit(main())
