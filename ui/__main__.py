"""`python -m ui` is the same as `dossier`."""

from ui.cli import main

if __name__ == "__main__":
    main(prog_name="dossier")
