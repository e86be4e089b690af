"""What makes the whole source of an import unusable."""


class SourceRejected(Exception):
    """The source cannot be used; ``code`` and the sentence go onto the job."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
