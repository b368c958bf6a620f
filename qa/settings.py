"""Every setting in one frozen dataclass; values come from defaults, then a file, then the environment, then flags."""

from __future__ import annotations

import hashlib
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from corpus.errors import DossierError
from index.cache import cache_folder

FILE_NAME = "dossier.toml"
"""Read from the working directory where it is there."""
_PREFIX = "DOSSIER_"
_LEAST = {
    **dict.fromkeys(("candidates", "evidence_words", "passage_sentences", "quoted_sentences", "quoted_for_several"), 1),
    **{
        "answer_tokens": 1,
        "question_characters": 1,
        "stale_days": 0,
        "passage_words": 0,
        "port": 0,
        "refuse_below": -1.0,
        "judged_until": 0.0,
    },
}
_MOST = {"port": 65535, "refuse_below": 1.0, "judged_until": 1.0}


class SettingsError(DossierError):
    """A setting has a wrong name or value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can change. Making one loads and creates nothing."""

    corpus: Path = Path(__file__).parent.parent / "corpus" / "documents"
    """Folder of documents; the shipped ones by default."""
    index: Path = Path()
    """Folder of index generations, a cache; when it is not given, one in the user's cache folder for each corpus."""
    vectors: str = "auto"
    """What searches the vectors: flat, ivf, auto (flat, from 50,000 chunks on ivf), or a Milvus server by address."""
    model: str = ""
    """Answering model: empty for the default, a name of `dossier models list`, a GGUF file, a model folder, a hub name
    or an OpenAI-compatible address."""
    engine: str = "auto"
    """One of `qa.engines.ENGINES`; auto picks by machine and model."""
    host: str = "127.0.0.1"
    """Address that the page binds; anything but loopback asks for a password file."""
    port: int = 7860
    """Port of the page."""
    candidates: int = 40
    """Chunks retrieved for a question; they hold the evidence of 97 % of the dev half, and 20 of 95 %."""
    evidence_words: int = 260
    """Budget of the evidence in the prompt, in words; they are about 350 tokens, most of what is read."""
    passage_sentences: int = 8
    """Sentences that the answer is written from; they hold the evidence of 89 % of the dev half and 98 % of SQuAD 2."""
    passage_words: int = 180
    """Where these sentences are short, more are read, until they have so many words together; 0 reads no more."""
    judged_until: float = 0.98
    """Whether there is an answer is judged from the best of them, until one states it with this probability, if any
    sentence does: what is beside the point makes a small model say yes. 1 judges from all of them (evals/LOG.md)."""
    quoted_sentences: int = 2
    """Sentences of the documents that an answer quotes. With one, citations are more often to the point; with two, the
    answer is more often there (evals/LOG.md)."""
    quoted_for_several: int = 4
    """The same where a question compares, asks twice or wants a list; with 2, 4 of 100 dev answers fewer are right."""
    weigh_quotes: bool = True
    """Whether the model reads the best sentences alone, half a second each, so that the one it doubts least is quoted
    first, and a second one only for more of what the draft says; where several things are asked for, so that those are
    quoted that it does not clearly doubt. More of what is cited is to the point then (evals/LOG.md)."""
    answer_tokens: int = 80
    """Where the written answer is cut at the latest, in tokens."""
    refuse_below: float = -1.0
    """Probability under which a question is refused; a negative value takes the calibrated threshold."""
    stale_days: int = 365
    """Age of the newest source, in days, from which on an answer to a question about the present carries a note."""
    question_characters: int = 2000
    """Longest question, in characters; longer input is a pasted document, which belongs into the corpus."""
    written_answers: bool = True
    """Show what the model wrote, where the quotes support it; otherwise the quotes alone are the answer."""

    def __post_init__(self) -> None:
        if self.index == Path():
            corpus = self.corpus.expanduser().absolute()
            name = f"{corpus.name or 'corpus'}-{hashlib.sha256(str(corpus).encode()).hexdigest()[:12]}"
            object.__setattr__(self, "index", cache_folder() / "indexes" / name)

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None, file: Path | None = None) -> Settings:
        """Defaults, overridden by `file` (dossier.toml), by DOSSIER_* variables, and by `flags` that are not None.

        A path in the file is relative to the file, one elsewhere to the working directory; `~` is the home folder.

        Raises:
            SettingsError: `file` cannot be read, a name is unknown, or a value has the wrong form or is out of range;
                the message names both.
        """
        values = _read_file(file or Path(FILE_NAME)) if file or Path(FILE_NAME).exists() else {}
        names = {field.name for field in fields(cls)}
        for name in names:
            if (value := os.environ.get(_PREFIX + name.upper())) is not None:
                values[name] = value
        values.update({name: value for name, value in (flags or {}).items() if value is not None})
        return cls(**{name: _convert(name, value, names) for name, value in values.items()})


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Mend the file or remove it.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. Mend or remove it, or name another.") from error
    for name in ("corpus", "index"):
        if isinstance(values.get(name), str) and values[name]:
            values[name] = path.parent / _expand(name, values[name])
    return values


def _expand(name: str, value: str | Path) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"The setting {name} is {value!r}: {error} Write the path out.") from error


def _convert(name: str, value: object, names: set[str]) -> Any:  # noqa: ANN401 - the field's own type
    if name not in names:
        raise SettingsError(f"There is no setting {name!r}. The settings are {', '.join(sorted(names))}.")
    default = getattr(Settings(), name)
    try:
        converted = _as_kind_of(default, name, value)
    except (TypeError, ValueError) as error:
        kind = "path" if isinstance(default, Path) else type(default).__name__
        raise SettingsError(
            f"The setting {name} is {value!r}, which is no {kind}. Give for example {default}."
        ) from error
    least, most = _LEAST.get(name, -math.inf), _MOST.get(name, math.inf)
    if name in _LEAST and not least <= converted <= most:
        limits = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise SettingsError(f"The setting {name} is {value}; it must be {limits}. The default is {default}.")
    return converted


def _as_kind_of(default: object, name: str, value: object) -> Any:  # noqa: ANN401 - the field's own type
    if isinstance(default, bool):
        if str(value).lower() not in ("true", "false", "1", "0"):
            raise ValueError
        return str(value).lower() in ("true", "1")
    if isinstance(default, Path):
        if not isinstance(value, str | Path):
            raise TypeError
        return _expand(name, value)
    return type(default)(str(value))  # type: ignore[call-arg] # int, float or str; 7.5 and True are no int
