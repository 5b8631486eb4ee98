"""The one error a source may raise. It names the source, the place and what to do; a person sees no traceback."""


class SourceError(Exception):
    """Published bytes, or a file a person edits, that cannot be accepted.

    Attributes:
        source_id: the source as in assets/sources.yaml, or the file's path below the repository.
        place: where in it: a locator (line, JSON pointer, table heading, row and column), or a url.
        problem: what was found and what was expected.
        remedy: what to do about it.
        url: the published file, where it is one; whoever has it parsed fills it in.
    """

    def __init__(self, source_id: str, place: str, problem: str, remedy: str):
        super().__init__(source_id, place, problem, remedy)
        self.source_id, self.place, self.problem, self.remedy = source_id, place, problem, remedy
        self.url = place if place.startswith("https://") else None

    def __str__(self) -> str:
        return " ".join(f"{self.source_id}: {self.place}: {self.problem}. {self.remedy}".split())


class UnansweredError(SourceError):
    """The publisher did not answer, or was not asked because its host had failed: it may be asked again soon."""


class GoneError(SourceError):
    """A published file that its publisher withdrew (404, 410): nothing speaks against its other files."""
