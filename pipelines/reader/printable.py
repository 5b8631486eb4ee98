"""Texts made safe for a terminal: what sources and people wrote must not move its cursor or change its colours.

What belongs here: which characters may be shown. How answers are laid out belongs to show.py.
"""

import re

_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""C0, delete and C1, where escape sequences begin, and what turns the direction of writing."""
REPLACEMENT = "\ufffd"


def printable(text: str) -> str:
    """The text on one line, control characters replaced by a mark that shows that there was one."""
    return _CONTROLS.sub(REPLACEMENT, _BREAKS.sub(" ", text))


def escaped(json_text: str) -> str:
    """JSON text with the controls that JSON leaves as they are written as escapes: the same values to a program."""
    return re.sub(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda found: f"\\u{ord(found[0]):04x}", json_text)
