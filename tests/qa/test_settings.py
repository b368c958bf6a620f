from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from index.cache import cache_folder
from qa.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings, and no variable of the caller's."""
    for name in [name for name in os.environ if name.startswith("DOSSIER_") and name != "DOSSIER_CACHE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_defaults_are_the_shipped_corpus_and_an_index_in_the_cache() -> None:
    settings = Settings.load()
    assert settings == Settings()
    assert (settings.corpus / "articles").is_dir()
    assert settings.index.parent == cache_folder() / "indexes"
    assert settings.index.name.startswith("documents-")
    assert len(fields(Settings)) <= 20


def test_each_corpus_has_an_index_of_its_own() -> None:
    one, other = Settings(corpus=Path("a/notes")), Settings(corpus=Path("b/notes"))
    assert one.index != other.index
    assert one.index == Settings(corpus=Path("a/notes").absolute()).index


def test_flags_go_before_the_environment_before_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "dossier.toml").write_text(
        'port = 1\ncandidates = 2\nhost = "::1"\nwritten_answers = false\n', "utf-8"
    )
    monkeypatch.setenv("DOSSIER_CANDIDATES", "3")
    monkeypatch.setenv("DOSSIER_REFUSE_BELOW", "0.25")
    settings = Settings.load({"port": 4, "model": None})
    assert (settings.port, settings.candidates, settings.host) == (4, 3, "::1")
    assert (settings.refuse_below, settings.written_answers, settings.model) == (0.25, False, "")


def test_a_path_in_the_file_is_relative_to_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(elsewhere / "home"))
    file = elsewhere / "deep" / "my.toml"
    file.parent.mkdir()
    file.write_text('corpus = "texts"\nindex = "~/cache"\n', "utf-8")
    settings = Settings.load(file=file)
    assert settings.corpus == elsewhere / "deep" / "texts"
    assert settings.index == elsewhere / "home" / "cache"
    assert Settings.load({"corpus": "~/texts"}).corpus == elsewhere / "home" / "texts"


def test_an_empty_index_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSSIER_INDEX", "")
    assert Settings.load().index == Settings().index


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"ports": 1}, "There is no setting 'ports'. The settings are answer_tokens, "),
        ({"port": "many"}, "The setting port is 'many', which is no int. Give for example 7860."),
        ({"port": 7860.5}, "which is no int"),
        ({"candidates": True}, "which is no int"),
        ({"port": 65536}, "The setting port is 65536; it must be between 0 and 65535. The default is 7860."),
        ({"candidates": 0}, "it must be at least 1"),
        ({"passage_sentences": -3}, "it must be at least 1"),
        ({"quoted_sentences": 0}, "it must be at least 1"),
        ({"refuse_below": "nan"}, "it must be between -1.0 and 1.0"),
        ({"refuse_below": 40}, "it must be between -1.0 and 1.0"),
        ({"written_answers": "maybe"}, "which is no bool"),
        ({"corpus": 7}, "which is no path"),
        ({"corpus": "~nobody-of-that-name/x"}, "Write the path out"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_value(flags: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(flags)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"port 7860", b"\xff\xfe", b"port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused(elsewhere: Path, content: bytes) -> None:
    (elsewhere / "dossier.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"dossier.toml is not valid TOML: .* Mend the file or remove it"):
        Settings.load()


def test_a_wrong_path_in_the_file_is_refused(elsewhere: Path) -> None:
    (elsewhere / "dossier.toml").write_text("corpus = 5\n", "utf-8")
    with pytest.raises(SettingsError, match="corpus is 5, which is no path"):
        Settings.load()


def test_a_named_file_that_is_not_there_is_refused(elsewhere: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing.toml cannot be read: No such file"):
        Settings.load(file=elsewhere / "missing.toml")
