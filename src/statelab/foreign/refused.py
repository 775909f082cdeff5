"""What is said of a file that cannot be read."""


class Refused(Exception):
    """What is wrong in a file; `line` counts from 1, None where it is of the file as a whole."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line
