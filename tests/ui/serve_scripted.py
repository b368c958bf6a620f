"""Serves the page over the scripted pipeline. Arguments: a folder for its files, then name=password for each user."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from scripted_pipeline import scripted_pipeline

from ui.conversations import Conversations
from ui.desk import Desk
from ui.login import Guard, hash_password
from ui.server import build_app, listen, run_app


def tell(line: str) -> None:
    """A line for the test that reads them."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until terminated."""
    folder, *users = sys.argv[1:]
    pipeline = scripted_pipeline()
    pipeline.on_stop = lambda: tell("stopped")
    desk = Desk(pipeline, Conversations(Path(folder) / "conversations.sqlite3"), Path(folder) / "runs")
    passwords = {name: hash_password(password) for name, _, password in (user.partition("=") for user in users)}
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = build_app(desk, guard=Guard(passwords) if passwords else None)
    run_app(app, listener, lambda _: tell(f"serving {address}"))


if __name__ == "__main__":
    main()
