"""The one exception hierarchy; foreign errors are mapped onto it at the boundary."""


class DossierError(Exception):
    """A fault whose message says what happened and what to do next."""


class CorpusError(DossierError):
    """The corpus folder is missing, empty or unreadable."""


class DocumentError(CorpusError):
    """One document cannot be read; a build skips it and reports the reason."""


class PassingDocumentError(DocumentError):
    """As `DocumentError`, for a reason that may be gone at the next build, which tries again."""
