"""What can go wrong in an evaluation."""

from __future__ import annotations

from corpus.errors import DossierError


class EvaluationError(DossierError):
    """A question file, a run folder or a comparison cannot be used."""
