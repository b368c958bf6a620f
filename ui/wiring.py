"""Where the command line turns its options into settings and a pipeline; the heavy imports stay inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.pipeline import Pipeline
    from qa.settings import Settings


def load_settings(corpus: Path | None = None, index: Path | None = None) -> Settings:
    """Settings from file and environment, then the given folders over them.

    :raises DossierError: a setting is unknown or malformed.
    """
    from qa.settings import Settings

    return Settings.load(corpus=corpus, index=index)


def open_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that `settings` describe, with a current index and a loaded model.

    :raises DossierError: the corpus, the index or the model cannot be used; the message says what to do.
    """
    from qa.pipeline import open_pipeline as open_configured

    return open_configured(settings)


def conversations_path() -> Path:
    """The file in the user's data folder that keeps the conversations of the page."""
    from platformdirs import user_data_path

    return user_data_path("dossier", appauthor=False) / "conversations.sqlite3"
