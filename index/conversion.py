"""A GGUF file converted once into the folder that OpenVINO loads in seconds.

The conversion runs in a process of its own, so that the memory it takes (about three times the file) is given back, and
so that killing either process leaves only a folder without a manifest, which the next start throws away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib import metadata
from pathlib import Path

from index.cache import (
    ModelError,
    Progress,
    cache_folder,
    locked,
    read_json,
    require_space,
    write_json,
    writing_failed,
)
from index.weights import hash_file

FORMAT = 1
"""Version of the manifest; a folder with another one is converted again."""

DISK_PER_BYTE = 2.7
"""Disk taken per byte of the GGUF, measured on Q4_K_M: 1.15 for the converted folder and 1.3 for what OpenVINO compiles
from it, with a margin."""


def converted_folder(gguf: Path, sha256: str) -> Path:
    """Where the conversion of this file belongs; nothing is made."""
    return cache_folder() / "openvino" / f"{gguf.stem.lower()}-{sha256[:12]}"


def ensure_openvino(gguf: Path, sha256: str, progress: Progress | None = None) -> Path:
    """The OpenVINO folder of a GGUF file, converted when it is not there, incomplete, or of another OpenVINO version.

    Args:
        gguf: The file.
        sha256: Its hash, already checked; it names the folder.
        progress: Told the seconds that the conversion has taken (20 s for 1.1 GB on two cores).

    Raises:
        ModelError: The file is of a kind that OpenVINO cannot read, or the disk is full.
    """
    target = converted_folder(gguf, sha256)
    if is_complete(target, sha256):
        return target
    with locked(f"convert-{target.name}", progress):
        if is_complete(target, sha256):  # another process did it while this one waited
            return target
        work = _working_folder(target, gguf)
        try:
            link = work / "source.gguf"
            link.symlink_to(gguf)
            _run_child(link, gguf, progress)
            link.unlink()
            _write_manifest(work, sha256, progress)
            shutil.rmtree(target, ignore_errors=True)
            work.replace(target)
        except OSError as error:
            raise writing_failed(target, error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def is_complete(folder: Path, sha256: str) -> bool:
    """Whether the folder holds every byte of a conversion of this file by the OpenVINO that is installed."""
    manifest = read_json(folder / "manifest.json")
    made_by = (manifest.get("format"), manifest.get("source_sha256"), manifest.get("openvino_genai"))
    if made_by != (FORMAT, sha256, metadata.version("openvino-genai")):
        return False
    return all(_size(folder / name) == entry["size"] for name, entry in manifest["files"].items())


def remove_damaged(gguf: Path, sha256: str, progress: Progress | None = None) -> bool:
    """Read the conversion of this file again, and remove it when it is no longer what was written; True then."""
    folder = converted_folder(gguf, sha256)
    if not folder.exists():
        return False
    with locked(f"convert-{folder.name}", progress):
        files = read_json(folder / "manifest.json").get("files", {})
        intact = is_complete(folder, sha256) and all(
            hash_file(folder / name, progress) == entry["sha256"] for name, entry in files.items()
        )
        if not intact:
            shutil.rmtree(folder, ignore_errors=True)
        return not intact


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _working_folder(target: Path, gguf: Path) -> Path:
    """A new folder beside the target; those of killed conversions of the same file are removed."""
    prefix = f".converting-{target.name}-"
    for left_over in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    require_space(target, int(gguf.stat().st_size * DISK_PER_BYTE), f"convert {gguf.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    except OSError as error:
        raise writing_failed(target, error) from error


def _run_child(link: Path, gguf: Path, progress: Progress | None) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(  # noqa: S603 - this same interpreter, this same module, a path of our own
            [sys.executable, "-m", "index.conversion", str(link)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            seconds = 0
            while True:
                try:
                    code = child.wait(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    seconds += 1
                    if progress:
                        progress(f"Converting {gguf.name} for OpenVINO (once)", seconds, 0)
        finally:
            child.kill()
            child.wait()
            if child.stdin:
                child.stdin.close()
        log.seek(0)
        said = log.read().strip().splitlines()
    if code or not (link.parent / "openvino_model.bin").is_file():
        free = shutil.disk_usage(link.parent).free
        raise ModelError(
            f"OpenVINO could not convert {gguf}: {said[-1] if said else f'its process ended with {code}'}. "
            f"{free / 1e9:.1f} GB of disk were free at the end. If the space ran out, free some and run it again; if "
            "the kind of model is not supported, choose the engine transformers."
        )


def _write_manifest(folder: Path, sha256: str, progress: Progress | None) -> None:
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[path.name] = {"size": path.stat().st_size, "sha256": hash_file(path, progress)}
    manifest = {
        "format": FORMAT,
        "source_sha256": sha256,
        "openvino_genai": metadata.version("openvino-genai"),
        "files": files,
    }
    write_json(folder / "manifest.json", manifest)


def _convert(gguf: str) -> None:
    """What the child does: reading a GGUF with this flag makes OpenVINO write its own form beside it."""
    import openvino_genai

    threading.Thread(target=_end_with_parent, daemon=True).start()
    openvino_genai.LLMPipeline(gguf, "CPU", enable_save_ov_model=True)


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the parent's end of the pipe is closed, however the parent ended
    os._exit(1)


if __name__ == "__main__":
    _convert(sys.argv[1])
