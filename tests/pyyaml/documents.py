"""Documents of YAML by chance: all styles of scalars, lists and mappings, most of them valid."""

from __future__ import annotations

import random
from collections.abc import Callable

#: Scalars without quotes that one reader may take for another thing than the next.
PLAIN = """a b yes no On y 0644 0o17 0x1f 1_000 22:22 1e3 1.0e+3 1.5 .5 -1 +7 -0 ~ null Null 08 1:60 0b101
    190:20:30 190:20:30.15 .inf -.INF .nan 2001-01-01 2001-12-14t21:59:43.10-05:00 a#b x::y http://h/x é 😀 0. 1.
    1_0.5 _1 0_ 0x 1__2 12e03 1e+3 1.e+3 -.5 +.5e+1 1.5_5 00 0_7 -0x1F +0b1 0xg True TRUE tRUE NO off a\\nb a'b \\
    -x :x <<x --- ... ()""".split()
#: Pieces of what stands in quotes.
DOUBLE = ["a", "b c", "\\n", "\\t", "\\\\", '\\"', "\\x41", "\\u00e9", "\\U0001F600", "\\e", "\\ ", "\\/", "\\_", "\\N",
          "\\L", "\\a", "é", " #x", ": ", "\\\n  ", " \n  ", "\n\n  ", "'", "\n   x", "  \\  \n   ", "{", "["]
SINGLE = ["a", "b c", "''", '"', "\\n", "é", " #x", ": ", " \n  ", "\n\n  ", "\n  x", "  \n   ", "{", "- "]
#: What somebody mistypes. Not "&": an anchor's name may have a colon in it in YAML 1.2 alone.
SLIPS = ["", "", " ", "\n", ":", "-", "#", "'", '"', "{", "]", ",", "*", "!", "|", "%", "@", "\r\n", "?", "é"]
#: Tags, each before what it may not be true of.
TAGS = ["!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!", "!!timestamp", "!!map", "!!seq", "!str"]
DEEPEST = 3


class Documents:
    """The same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._by = random.Random(seed)
        #: What may be repeated, and how many names there are.
        self._anchors: list[str] = []
        self._names = 0

    def next(self) -> str:
        """A cloud-config."""
        self._anchors = []
        text = self._mapping(0, DEEPEST)
        if self._by.random() < 0.1:
            at = self._by.randrange(len(text))
            text = text[:at] + self._by.choice(SLIPS) + text[at + self._by.choice([0, 1]):]
        end = self._by.random()
        if end < 0.4:
            text = text.rstrip("\n")
        elif end < 0.45:
            text += "...\n"
        elif end < 0.5:
            text = text.replace("\n", "\r\n")
        return "#cloud-config\n" + self._any(["", "", "", "---\n", "# c\n"]) + text

    def _any(self, of: list[str]) -> str:
        return self._by.choice(of)

    def _one(self, *of: tuple[int, Callable[[], str]]) -> str:
        """One of these, by their weights."""
        return self._by.choices([make for _, make in of], [weight for weight, _ in of])[0]()

    def _some(self, make: Callable[[], str], least: int) -> list[str]:
        return [make() for _ in range(self._by.randint(least, 3))]

    def _plain(self) -> str:
        word = self._any(PLAIN)
        return word if self._by.random() < 0.9 else f"{word} {self._any(PLAIN)}"

    def _quoted(self, mark: str, pieces: list[str]) -> str:
        return mark + "".join(self._any(pieces) for _ in range(self._by.randint(0, 4))) + mark

    def _one_line(self) -> str:
        return self._one((5, self._plain), (1, lambda: self._quoted('"', DOUBLE)), (1, lambda: self._quoted("'", SINGLE)))

    def _block(self, indent: int) -> str:
        """A literal or folded scalar; at times it says how far it is indented."""
        width = self._by.choice([1, 2, 4])
        begin = " " * (indent + width)
        says = self._any(["", "", str(width)])
        head = self._any(["|", ">"]) + self._any(["", "-", "+"]) + says + self._any(["", "", "  ", " # c"])
        inside = ["a b", "# no comment", "- x", "k: v", "\ttab", "trail  ", "é", "  more", "c"]
        lines = [begin + self._any(inside[:5] if not says else inside)] if self._by.random() < 0.9 else []
        for _ in range(self._by.randint(0, 4)):
            lines.append(self._any(["", "", begin, begin + " ", *(begin + it for it in inside)]))
        return "\n".join([head, *lines])

    def _scalar(self, indent: int) -> str:
        text = self._one(
            (6, self._one_line), (2, lambda: self._block(indent)),
            (1, lambda: f"{self._plain()}\n{' ' * (indent + 2)}{self._plain()}"),
        )
        return self._named(text)

    def _named(self, text: str) -> str:
        """With a tag or an anchor, or another one's alias instead."""
        chance = self._by.random()
        if chance < 0.05:
            return f"{self._any(TAGS)} {text}"
        if chance < 0.1:
            self._anchors.append(self._name())
            return f"&{self._anchors[-1]} {text}"
        if chance < 0.13 and self._anchors:
            return f"*{self._any(self._anchors)}"
        return text

    def _name(self) -> str:
        self._names += 1
        return f"n{self._names}"

    def _flow(self, depth: int) -> str:
        if depth == 0:
            return self._one_line()
        space = self._any(["", " ", "  ", "\n     "])
        comma = f",{space or ' '}"

        def pair() -> str:
            return f"{self._key()}{self._any([': ', ': ', ' : '])}{self._flow(depth - 1)}"

        def item() -> str:
            return self._one((4, lambda: self._flow(depth - 1)), (1, pair))

        return self._one(
            (2, self._one_line),
            (1, lambda: f"[{space}{comma.join(self._some(item, 0))}{space}]"),
            (1, lambda: f"{{{space}{comma.join(self._some(pair, 0))}{space}}}"),
        )

    def _key(self) -> str:
        letter = self._any(list("abcdefg")) + str(self._by.randint(0, 9))
        return self._one((8, lambda: letter), (1, lambda: self._any(["-.5", "0_", "x::y", "é", "~", "2001-01-01", "a b"])),
                         (1, lambda: f"'{letter}'"), (1, lambda: f'"{letter}\\t"'))

    def _node(self, indent: int, depth: int) -> str:
        """What comes after a colon or a hyphen."""
        end = self._any(["\n", "\n", "\n", " # c\n", "  \n", "\n\n", "\n# c\n"])
        if depth == 0:
            return f" {self._scalar(indent)}\n"
        deeper = indent + self._by.choice([1, 2, 2, 4])

        def within(make: Callable[[], str]) -> str:
            if self._by.random() >= 0.1:
                return end + make()
            name, made = self._name(), make()
            # Not before: an alias of what it is part of is no tree.
            self._anchors.append(name)
            return f" &{name}{end}{made}"

        return self._one(
            (4, lambda: f" {self._scalar(indent)}\n"),
            (1, lambda: f" {self._flow(2)}{end}"),
            (2, lambda: within(lambda: self._list(deeper, depth - 1))),
            (2, lambda: within(lambda: self._mapping(deeper, depth - 1))),
        )

    def _list(self, indent: int, depth: int) -> str:
        return "".join(f"{' ' * indent}-{it}" for it in self._some(lambda: self._node(indent, depth), 1))

    def _mapping(self, indent: int, depth: int) -> str:
        begin = " " * indent

        def pair() -> str:
            chance = self._by.random()
            if chance < 0.04 and self._anchors:
                return f"{begin}<<: *{self._any(self._anchors)}\n"
            if chance < 0.08:
                return f"{begin}? {self._key()}\n{begin}:{self._node(indent, depth)}"
            return f"{begin}{self._key()}{self._any([':', ':', ':', ' :'])}{self._node(indent, depth)}"

        return "".join(self._some(pair, 1))
