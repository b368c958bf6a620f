"""The shape of the whole: which package imports which, where the names resolve, and that importing does nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "corpus": set(),
    "index": {"corpus"},
    "qa": {"corpus", "index"},
    "evals": {"corpus", "index", "qa"},
    "ui": {"corpus", "index", "qa", "evals"},
}
HEAVY = {"torch", "transformers", "sentence_transformers", "faiss", "gradio", "openvino", "openvino_genai", "sklearn"}
BUILT_ON = {"ui/page.py": {"gradio"}, "ui/handlers.py": {"gradio"}, "index/eight_bit.py": {"torch"}}
"""They are Gradio, or layers of PyTorch, from their first line to their last, and are themselves imported late."""
FORBIDDEN_FILES = {"utils.py", "helpers.py", "common.py", "types.py", "misc.py"}


def modules() -> list[Path]:
    return sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that the code names in an import, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield ("." * node.level + (node.module or ""), node.lineno)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_packages_import_in_one_direction(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for module, line in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = module.split(".")[0]
        assert not module.startswith("."), f"{name_of(path)}:{line} imports by a relative name"
        if top in MAY_IMPORT and top != package:
            assert top in MAY_IMPORT[package], f"{name_of(path)}:{line}: {package} may not import {top}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_heavy_libraries_are_imported_late(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top_level = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {module for node in top_level for module, _ in imports(node)}
    heavy = HEAVY & {module.split(".")[0] for module in named} - BUILT_ON.get(name_of(path), set())
    if name_of(path) not in BUILT_ON:
        heavy |= named & {file.removesuffix(".py").replace("/", ".") for file in BUILT_ON}
    assert not heavy, f"{name_of(path)} imports {heavy} when it is imported; move it to where it is used"


def test_no_module_is_a_drawer_for_the_rest() -> None:
    assert [name_of(path) for path in modules() if path.name in FORBIDDEN_FILES] == []


def run_outside(code: str, folder: Path) -> object:
    """What the code prints as JSON, in a fresh process that starts in another folder."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer: object = json.loads(done.stdout)
    return answer


def test_the_names_resolve_into_this_repository(tmp_path: Path) -> None:
    code = """
        import importlib, json
        names = ("corpus", "index", "qa", "evals", "ui")
        print(json.dumps({name: importlib.import_module(name).__file__ for name in names}))
    """
    expected = {package: str(ROOT / package / "__init__.py") for package in MAY_IMPORT}
    assert run_outside(code, tmp_path) == expected
    assert (ROOT / "corpus" / "documents").is_dir()


def test_importing_every_module_has_no_effect(tmp_path: Path) -> None:
    """No file written, no variable set, no thread started, nothing printed, no heavy library loaded."""
    light = [path for path in modules() if name_of(path) not in BUILT_ON]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in light]
    code = f"""
        import json, os, pathlib, sys, threading
        home = pathlib.Path.cwd()
        os.environ.update(HOME=str(home), XDG_CACHE_HOME=str(home / "cache"), DOSSIER_CACHE=str(home / "dossier"))
        sys.dont_write_bytecode = True
        before = dict(os.environ)
        import importlib
        for name in {names!r}:
            if not name.endswith("__main__"):
                importlib.import_module(name.removesuffix(".__init__"))
        print(json.dumps({{
            "files": [path.name for path in home.rglob("*")],
            "environment": sorted(set(os.environ.items()) ^ set(before.items())),
            "threads": threading.active_count(),
            "heavy": sorted({HEAVY!r} & set(sys.modules)),
        }}))
    """
    assert run_outside(code, tmp_path) == {"files": [], "environment": [], "threads": 1, "heavy": []}


def test_what_a_package_offers_is_there() -> None:
    code = """
        import importlib, json
        wrong = []
        for package in ("corpus", "index", "qa", "evals", "ui", "qa.engines"):
            module = importlib.import_module(package)
            wrong += [f"{package}.{name}" for name in getattr(module, "__all__", ()) if not hasattr(module, name)]
        print(json.dumps(wrong))
    """
    assert run_outside(code, ROOT.parent) == []


@pytest.mark.model
def test_openvino_tells_nobody_that_it_was_imported(tmp_path: Path) -> None:
    code = """
        import json, os, pathlib, socket, subprocess
        os.environ["HOME"] = os.getcwd()
        def tell(*_): raise AssertionError("something was sent")
        socket.socket.connect = os.fork = tell
        from index.telemetry import silence_openvino
        silence_openvino()
        import openvino_genai, openvino.tools.ovc.telemetry_utils as told
        print(json.dumps([told.tm.__name__, [path.name for path in pathlib.Path.cwd().rglob("*")]]))
    """
    assert run_outside(code, tmp_path) == ["openvino.tools.ovc.telemetry_stub", []]


def test_openvino_is_imported_only_where_it_is_silenced() -> None:
    for path in modules():
        text = path.read_text(encoding="utf-8")
        if any(module.split(".")[0] in ("openvino", "openvino_genai") for module, _ in imports(ast.parse(text))):
            assert "silence_openvino()" in text, f"{name_of(path)} imports openvino with its telemetry"
