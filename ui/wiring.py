"""Where the command line turns its options into settings and a pipeline; the heavy imports stay inside."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index import Embedder
    from qa.pipeline import Pipeline
    from qa.settings import Settings

log = logging.getLogger(__name__)


def load_settings(**flags: object) -> Settings:
    """Settings from file and environment, then the flags that are not None over them.

    :raises DossierError: a setting is unknown or malformed.
    """
    from qa.settings import Settings

    return Settings.load(flags)


def open_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that `settings` describe, with a current index and a loaded model.

    :raises DossierError: the corpus, the index or the model cannot be used; the message says what to do.
    """
    return _open(settings, load_model=True)


def conversations_path() -> Path:
    """The file in the user's data folder that keeps the conversations of the page."""
    from platformdirs import user_data_path

    return user_data_path("dossier", appauthor=False) / "conversations.sqlite3"


def open_embedder() -> Embedder:
    """The embedder of the index.

    :raises DossierError: its model is missing or damaged.
    """
    from index import SentenceTransformerEmbedder
    from ui.output import progress_shown

    with progress_shown() as progress:
        return SentenceTransformerEmbedder.default(progress)


def open_search(settings: Settings) -> Pipeline:
    """A pipeline to search with, without its model.

    :raises DossierError: as for `open_pipeline`.
    """
    return _open(settings, load_model=False)


def _open(settings: Settings, *, load_model: bool) -> Pipeline:
    from qa.pipeline import open_pipeline as open_configured
    from ui.output import progress_shown

    with progress_shown() as progress:
        return open_configured(settings, load_model=load_model, progress=progress)


def document_texts(settings: Settings) -> dict[str, str]:
    """The text of each document of the corpus by its path; documents that cannot be read are left out.

    :raises DossierError: there is no such folder.
    """
    from corpus.errors import DocumentError
    from corpus.loading import document_path, find_documents, load_document

    texts = {}
    for path in find_documents(settings.corpus):
        try:
            texts[document_path(path, settings.corpus)] = load_document(path, settings.corpus).text
        except DocumentError as fault:
            log.warning("Skipped %s", fault)
    return texts


def default_questions() -> Path:
    """The shipped evaluation set."""
    import evals

    return Path(next(iter(evals.__path__))) / "questions.jsonl"


def default_run_folder() -> Path:
    """A new folder below evals/runs of the working directory, named by the minute."""
    from datetime import datetime

    return runs_folder() / datetime.now().astimezone().strftime("%Y-%m-%d-%H%M")


def runs_folder() -> Path:
    """Where the runs of the evaluation are, below the working directory."""
    return Path("evals") / "runs"
