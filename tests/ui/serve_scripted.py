"""Serves the page over the scripted pipeline. Arguments: a folder for its files, then name=password for each user."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from scripted_pipeline import DOCUMENTS, REAL, scripted_pipeline

from index import Embedder
from ui.adding import Adder
from ui.conversations import Conversations
from ui.desk import Desk
from ui.login import Guard, hash_password
from ui.server import build_app, listen, run_app

TESTS = Path(__file__).parents[1]


def tell(line: str) -> None:
    """A line for the test that reads them."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def toy_embedder() -> Embedder:
    """The one of the tests' conftest, which is no module to import by name."""
    spec = importlib.util.spec_from_file_location("dossier_conftest", TESTS / "conftest.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    embedder: Embedder = module.ToyEmbedder()
    return embedder


def main() -> None:
    """Serve until terminated."""
    folder, *users = sys.argv[1:]
    corpus = Path(folder) / "corpus"  # what the page adds to and removes from; its answers are scripted all the same
    for path in REAL:
        (corpus / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DOCUMENTS / path, corpus / path)
    pipeline = scripted_pipeline()
    pipeline.on_stop = lambda: tell("stopped")
    adder = Adder(corpus, Path(folder) / "index", toy_embedder())
    desk = Desk(pipeline, Conversations(Path(folder) / "conversations.sqlite3"), Path(folder) / "runs", adder)
    passwords = {name: hash_password(password) for name, _, password in (user.partition("=") for user in users)}
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = build_app(desk, guard=Guard(passwords) if passwords else None)
    run_app(app, listener, lambda _: tell(f"serving {address}"))


if __name__ == "__main__":
    main()
