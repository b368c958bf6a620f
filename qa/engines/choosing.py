"""Which engine runs which model."""

from __future__ import annotations

import shutil
from functools import cache
from importlib import metadata
from pathlib import Path

from index.adapter import ensure_adapted
from index.cache import Progress
from index.weights import ANSWERING_MODEL, MODELS, Model, checked_hash, ensure_file
from qa.generator import GenerationError, Generator

ENGINES = ("auto", "openvino", "int8", "llamacpp", "transformers", "openai")


def load_generator(model: str = "", engine: str = "auto", progress: Progress | None = None) -> Generator:
    """Load the answering model.

    Args:
        model: Empty for the default model, which has an adapter of our own (`index.adapter`), or a name of `dossier
            models list` for one as it was published, a model folder, a GGUF file, a name on the model hub, or the
            address of an OpenAI-compatible server (`http://host:8000/v1`, with `#name` to choose among its models).
        engine: One of `ENGINES`. `auto` takes the server for an address, transformers where there is a GPU or the model
            is in its form, OpenVINO on a CPU with AVX-512, and on any other int8 for the models that Dossier ships and
            llama.cpp for any other GGUF file.
        progress: Told about long steps (joining, converting, compiling).

    Raises:
        GenerationError: The engine is unknown, does not fit the model, or cannot load it.
        ModelError: The model's files are missing or damaged, or could not be written.
    """
    if engine not in ENGINES:
        raise GenerationError(f"There is no engine {engine!r}; the engines are {', '.join(ENGINES)}.")
    if model.startswith(("http://", "https://")):
        if engine not in ("auto", "openai"):
            raise GenerationError(f"{model} is an address, which the engine {engine} cannot use; leave the engine out.")
        from qa.engines.openai_engine import OpenAIGenerator

        return OpenAIGenerator(*_address(model))
    if engine == "openai":
        raise GenerationError(f"The engine openai needs an address such as http://127.0.0.1:8000/v1, not {model!r}.")
    if model in ("", "default"):
        adapted = ensure_adapted(ensure_file(ANSWERING_MODEL, progress), progress)
        return _load_gguf(adapted, "", adapted.stem, engine_for(engine, shipped=True), progress)
    known = _catalogued(model)
    if known is not None:
        return _load_gguf(
            ensure_file(known, progress), known.sha256, known.name, engine_for(engine, shipped=True), progress
        )
    return _load_named(model, engine, progress)


def _load_named(model: str, engine: str, progress: Progress | None) -> Generator:
    """A model that Dossier does not ship: a file, a folder, or a name on the model hub."""
    path = Path(model).expanduser()
    if path.is_file() and path.suffix.lower() == ".gguf":
        path = path.resolve()
        return _load_gguf(path, "", path.stem, engine_for(engine, shipped=False), progress)
    if path.is_dir():
        return _load_folder(path.resolve(), engine, progress)
    if path.is_absolute() or model.startswith((".", "~")) or path.suffix.lower() == ".gguf":
        raise GenerationError(f"There is no model at {path}. Name a model folder, a GGUF file, or a model of the hub.")
    if engine in ("openvino", "int8", "llamacpp"):
        needed = "a folder or a GGUF file" if engine == "openvino" else "a GGUF file"
        raise GenerationError(f"The engine {engine} needs {needed}, not {model!r}.")
    from qa.engines.transformers_engine import TransformersGenerator

    return TransformersGenerator(model, model)


def _catalogued(model: str) -> Model | None:
    """The model of that name that Dossier ships with, as it was published."""
    return next((known for known in MODELS if known.name == model and known.role != "embedding"), None)


def _load_gguf(path: Path, sha256: str, name: str, engine: str, progress: Progress | None) -> Generator:
    if engine == "llamacpp":
        from qa.engines.llamacpp_engine import LlamaCppGenerator

        return LlamaCppGenerator(path, name)
    if engine == "int8" and not has_eight_bit():
        raise GenerationError("PyTorch has no eight-bit kernels for this processor. Choose the engine llamacpp.")
    from index.conversion import INT8, OPENVINO, TRANSFORMERS, ensure_converted

    form = {"openvino": OPENVINO, "int8": INT8, "transformers": TRANSFORMERS}[engine]
    folder = ensure_converted(path, sha256 or checked_hash(path, progress), form, progress)
    if engine == "openvino":
        from qa.engines.openvino_engine import OpenVINOGenerator

        return OpenVINOGenerator(folder, name, progress)
    from qa.engines.transformers_engine import TransformersGenerator

    return TransformersGenerator(folder, name, eight_bit=engine == "int8")


def _load_folder(folder: Path, engine: str, progress: Progress | None) -> Generator:
    has_openvino, has_transformers = (folder / "openvino_model.xml").is_file(), (folder / "config.json").is_file()
    if has_openvino and engine in ("auto", "openvino"):
        from qa.engines.openvino_engine import OpenVINOGenerator

        return OpenVINOGenerator(folder, folder.name, progress)
    if has_transformers and engine in ("auto", "transformers"):
        from qa.engines.transformers_engine import TransformersGenerator

        return TransformersGenerator(folder, folder.name)
    raise GenerationError(
        f"The folder {folder} holds no model for the engine {engine}: openvino needs an openvino_model.xml, "
        "transformers a config.json with the weights, int8 and llamacpp a GGUF file."
    )


def _address(model: str) -> tuple[str, str]:
    """Address and model name (empty where none is given) of `http://host/v1#name`."""
    address, _, name = model.partition("#")
    return address.rstrip("/"), name


def engine_for(engine: str, *, shipped: bool) -> str:
    """The engine that runs a GGUF file where `engine` is asked for.

    Args:
        engine: One of `ENGINES`.
        shipped: Whether it is one of Dossier's own models, which int8 is tried with.
    """
    if engine != "auto":
        return engine
    if has_gpu():
        return "transformers"
    if has_avx512():
        return "openvino"
    return "int8" if shipped and has_eight_bit() else "llamacpp"


def has_eight_bit() -> bool:
    """Whether PyTorch has the kernels that the engine int8 multiplies with."""
    import torch

    from index.eight_bit import KERNELS

    return KERNELS in torch.backends.quantized.supported_engines


@cache
def has_avx512() -> bool:
    """Whether the CPU has AVX-512 (without, int8 is the faster engine); True where it cannot be told."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return True
    return "avx512f" in flags or "avx2" not in flags


def has_gpu() -> bool:
    """Whether PyTorch can use a GPU; PyTorch, 2 s to import, is asked only where a driver and a fitting build are."""
    if metadata.version("torch").endswith("+cpu"):
        return False
    if not (shutil.which("nvidia-smi") or Path("/dev/nvidia0").exists() or Path("/dev/kfd").exists()):
        return False
    import torch

    return bool(torch.cuda.is_available())
