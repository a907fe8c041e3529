"""A fault of the installation: what was found, and the fix."""


class Problem(Exception):
    """Something that is broken, as two short sentences for an operator: what was found, and what to set or run."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found, fix)
        self.found, self.fix = found, fix

    def __str__(self) -> str:
        return f"{self.found} {self.fix}"


class Advice(Problem):
    """Something that works and could be better, or that will break."""


class Untested(Exception):
    """A step does not apply to this installation; the text says why."""
