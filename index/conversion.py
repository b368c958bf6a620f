"""A model file converted once into the folder that an engine loads in seconds.

The conversion runs in a process of its own, so that the memory it takes (three to five times the file) is given back,
and so that killing either process leaves only a folder without a manifest, which the next start throws away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

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
from index.telemetry import silence_openvino
from index.weights import hash_file

FORMAT = 2
"""Version of the manifest; a folder with another one is converted again."""


@dataclass(frozen=True, slots=True)
class Form:
    """What an engine loads, and what a conversion to it takes."""

    name: str
    """Of its folder in the cache."""
    library: str
    """Whose version a conversion is bound to."""
    disk_per_byte: float
    """Disk taken per byte of the file, with a margin."""
    written: str
    """What a conversion has written when it is done."""


OPENVINO = Form("openvino", "openvino-genai", disk_per_byte=2.7, written="*model*.xml")
"""Measured of a GGUF in Q4_K_M: 1.15 for the converted folder, and 1.3 for what OpenVINO compiles from it."""
TRANSFORMERS = Form("transformers", "transformers", disk_per_byte=3.8, written="*.safetensors")
"""Measured of the same file: 3.2, since the weights are bfloat16."""
INT8 = Form("int8", "transformers", disk_per_byte=2.1, written="int8.safetensors")
"""Measured of the same file: 1.75; the process that converts takes 5.7 GB of memory at most."""
SENTENCE_TRANSFORMERS = Form(
    "sentence-transformers", "sentence-transformers", disk_per_byte=7.5, written="modules.json"
)
"""Measured of the embedding model: 3.5, and as much again while it is written."""
ADAPTED = replace(SENTENCE_TRANSFORMERS, name="sentence-transformers-adapted")
"""The same, with our adapter added to the embedding model."""
FORMS = (OPENVINO, TRANSFORMERS, INT8, SENTENCE_TRANSFORMERS, ADAPTED)


def converted_folder(source: Path, sha256: str, form: Form) -> Path:
    """Where the conversion of this file belongs; nothing is made."""
    return cache_folder() / form.name / f"{source.stem.lower()}-{sha256[:12]}"


def ensure_converted(source: Path, sha256: str, form: Form, progress: Progress | None = None) -> Path:
    """The folder of a model file in an engine's form, converted where it is missing, incomplete, or of another version.

    Args:
        source: The file.
        sha256: Its hash, already checked, or what else identifies what is converted; it names the folder.
        form: The engine whose form it is.
        progress: Told the seconds that the conversion has taken (for 1.1 GB on two fast cores, 20 s for OpenVINO and
            50 s for transformers; 100 s for int8 on two slow ones; 15 s for the embedding model).

    Raises:
        ModelError: The file is of a kind that the library cannot read, or the disk is full.
    """
    target = converted_folder(source, sha256, form)
    if is_complete(target, sha256):
        return target
    with locked(f"{form.name}-{target.name}", progress):
        if is_complete(target, sha256):  # another process did it while this one waited
            return target
        work = _working_folder(target, source, form)
        try:
            link = work / f"source{source.suffix}"
            link.symlink_to(source)
            _run_child(link, source, form, progress)
            link.unlink()
            _write_manifest(work, sha256, form, progress)
            shutil.rmtree(target, ignore_errors=True)
            work.replace(target)
        except OSError as error:
            raise writing_failed(target, error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def is_complete(folder: Path, sha256: str) -> bool:
    """Whether the folder holds every byte of a conversion of this file by the library version that is installed."""
    manifest = read_json(folder / "manifest.json")
    if (manifest.get("format"), manifest.get("source_sha256")) != (FORMAT, sha256):
        return False
    if manifest["version"] != metadata.version(manifest["library"]):
        return False
    return all(_size(folder / name) == entry["size"] for name, entry in manifest["files"].items())


def remove_damaged(source: Path, sha256: str, form: Form, progress: Progress | None = None) -> bool:
    """Read the conversion of this file again, and remove it when it is no longer what was written; True then."""
    folder = converted_folder(source, sha256, form)
    if not folder.exists():
        return False
    with locked(f"{form.name}-{folder.name}", progress):
        files = read_json(folder / "manifest.json").get("files", {})
        intact = is_complete(folder, sha256) and all(
            hash_file(folder / name, progress) == entry["sha256"] for name, entry in files.items()
        )
        if not intact:
            shutil.rmtree(folder, ignore_errors=True)
        return not intact


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _working_folder(target: Path, source: Path, form: Form) -> Path:
    """A new folder beside the target; those of killed conversions of the same file are removed."""
    prefix = f".converting-{target.name}-"
    for left_over in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    require_space(target, int(source.stat().st_size * form.disk_per_byte), f"convert {source.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    except OSError as error:
        raise writing_failed(target, error) from error


def _run_child(link: Path, source: Path, form: Form, progress: Progress | None) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(  # noqa: S603 - this same interpreter, this same module, a path of our own
            [sys.executable, "-m", "index.conversion", form.name, str(link)],
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
                        progress(f"Converting {source.name} for {form.name} (once)", seconds, 0)
        finally:
            child.kill()
            child.wait()
            if child.stdin:
                child.stdin.close()
        log.seek(0)
        said = log.read().strip().splitlines()
    if code or not any(link.parent.glob(form.written)):
        free = shutil.disk_usage(link.parent).free
        raise ModelError(
            f"{form.name} could not convert {source}: {said[-1] if said else f'its process ended with {code}'}. "
            f"{free / 1e9:.1f} GB of disk were free at the end. If the space ran out, free some and run it again; if "
            "the kind of model is not supported, choose another engine."
        )


def _write_manifest(folder: Path, sha256: str, form: Form, progress: Progress | None) -> None:
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[path.relative_to(folder).as_posix()] = {"size": path.stat().st_size, "sha256": hash_file(path, progress)}
    manifest = {
        "format": FORMAT,
        "source_sha256": sha256,
        "library": form.library,
        "version": metadata.version(form.library),
        "files": files,
    }
    write_json(folder / "manifest.json", manifest)


def _convert(name: str, source: Path) -> None:
    """What the child does; `name` is the form's."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if name == OPENVINO.name:
        silence_openvino()
        import openvino_genai

        # Reading a GGUF with this flag makes OpenVINO write its own form beside it.
        openvino_genai.LLMPipeline(str(source), "CPU", enable_save_ov_model=True)
        return
    if name in (SENTENCE_TRANSFORMERS.name, ADAPTED.name):
        from index.packed_e5 import ADAPTER_FILE, write_folder

        write_folder(source, source.parent, ADAPTER_FILE if name == ADAPTED.name else None)
        return
    tokenizer, model = read_gguf(source)
    if name == INT8.name:
        from index.eight_bit import write_eight_bit

        write_eight_bit(model, source.parent)
    else:
        model.save_pretrained(source.parent)
    tokenizer.save_pretrained(source.parent)


def read_gguf(source: Path) -> tuple[Any, Any]:  # transformers ships no usable annotations
    """The tokenizer and the model of a GGUF file as transformers has them, with its weights in bfloat16."""
    import torch
    import transformers

    how = {"gguf_file": source.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, **how)
    # Weights left in their blocks would need a compute kernel, which transformers fetches from the model hub.
    plain = transformers.GgufConfig(gguf_file=source.name, dequantize=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.parent, dtype=torch.bfloat16, quantization_config=plain, **how
    )
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return tokenizer, model


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the parent's end of the pipe is closed, however the parent ended
    os._exit(1)


if __name__ == "__main__":
    _convert(sys.argv[1], Path(sys.argv[2]))
