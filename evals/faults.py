"""What an index survives: `python -m evals.faults --kills 200 --out DIR`.

Builders are killed at random moments, the disk fills up, files of generations are cut off and altered, documents change
while they are read, and eight readers and three builders work at once. After each fault, three things are checked:
answers come from one whole generation, the old or the new one; `verify` says what is true; the next build mends
everything. What fails is a loss.
"""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from corpus import load_document
from corpus.errors import DossierError
from evals.synthetic import SyntheticEmbedder
from index import Index, IndexReader, build, ensure_index, status, verify
from index.generations import generation_folder, generation_names

EMBEDDER = SyntheticEmbedder(topics=16, dimension=48)
QUESTIONS = ("Who visited the ministry of the sea?", "Which office wrote report 3?", "treaty command budget")
_FORK = multiprocessing.get_context("fork")


@dataclass
class Tally:
    """Counts of one kind of fault."""

    name: str
    faults: int = 0
    answers: int = 0
    """Passages that were compared with the document that they are from."""
    builds: int = 0
    losses: list[str] = field(default_factory=list)
    note: str = ""

    def check(self, holds: bool, what: str) -> None:
        """A loss, unless something holds."""
        if not holds:
            self.losses.append(what)


class Ground:
    """A small corpus and its index, and every text that each document ever had."""

    def __init__(self, folder: Path, chance: random.Random, documents: int = 8) -> None:
        self.corpus, self.index = folder / "corpus", folder / "index"
        self.chance = chance
        self.texts: dict[str, set[str]] = {}
        self.corpus.mkdir(parents=True)
        for number in range(documents):
            self.write(f"report-{number}.txt")

    def write(self, name: str) -> None:
        """Give a document a new text."""
        words = ("treaty", "command", "emperor", "yen", "missile", "base", "ocean", "Tokyo", "budget", "ministry")
        sentences = [
            f"The {self.chance.choice(words)} of {self.chance.choice(words)} {self.chance.randrange(10**6)} is "
            f"about the {self.chance.choice(words)}."
            for _ in range(self.chance.randrange(5, 60))
        ]
        text = f"Office {self.chance.randrange(99)} wrote {name}.\n\n" + " ".join(sentences) + "\n"
        self.texts.setdefault(name, set()).add(_as_loaded(text, name))
        (self.corpus / name).write_text(text, encoding="utf-8")

    def build(self) -> str:
        """Bring the index in line."""
        return build(self.corpus, self.index, EMBEDDER).generation

    def check_answers(self, index: Index, tally: Tally) -> None:
        """Ask, and compare each passage with the texts that its document had."""
        for path, document in index.documents.items():
            tally.check(document.text in self.texts.get(path, ()), f"{path} of {index.generation} is no text it had")
        for question in QUESTIONS:
            hits = index.search(question, 5)
            tally.check(bool(hits), f"{index.generation} finds nothing for {question!r}")
            for hit in hits:
                text = index.documents[hit.chunk.document].text
                tally.check(text[hit.chunk.start : hit.chunk.end] == index.text(hit.chunk), f"{hit.chunk.id} is cut")
                tally.answers += 1

    def check_serves(self, tally: Tally, *, sound: bool = True) -> str:
        """The generation that a new reader gets; with `sound`, `verify` must say that the current one is whole."""
        try:
            index = Index.open_sound(self.index, EMBEDDER)
        except DossierError as error:
            tally.losses.append(f"nothing serves: {error}")
            return ""
        self.check_answers(index, tally)
        report = verify(self.index)
        tally.check(report.ok is sound, f"verify says ok={report.ok}: {report.problems}")
        index.close()
        return index.generation

    def check_mended(self, tally: Tally) -> None:
        """Build, and compare the index with the corpus as it is."""
        tally.builds += 1
        index = ensure_index(self.corpus, self.index, EMBEDDER)
        now = {path.name: _as_loaded(path.read_text(encoding="utf-8"), path.name) for path in self.corpus.iterdir()}
        tally.check(index.texts() == now, "the build misses texts")
        self.check_answers(index, tally)
        index.close()
        tally.check(verify(self.index).ok, f"verify finds the new generation damaged: {verify(self.index).problems}")
        found = status(self.corpus, self.index, EMBEDDER).state
        tally.check(found == "current", f"the index is {found} after a build")
        left = [path.name for path in (self.index / "generations").iterdir() if path.name.startswith(".")]
        tally.check(not left, f"left over: {left}")


def _as_loaded(text: str, name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        return load_document(path, Path(folder)).text


@contextlib.contextmanager
def _ground(chance: random.Random, below: Path | None = None) -> Iterator[Ground]:
    folder = Path(tempfile.mkdtemp(prefix="dossier-faults-", dir=below))
    try:
        yield Ground(folder, chance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _build_quietly(ground: Ground) -> None:
    """In a process of its own: a fault that it says is told by exit code 3."""
    logging.disable(logging.CRITICAL)
    try:
        ground.build()
    except DossierError:
        os._exit(3)
    os._exit(0)


def killed_builders(chance: random.Random, kills: int) -> Tally:
    """SIGKILL at random moments of a build."""
    tally = Tally("builder killed")
    with _ground(chance) as ground:
        old = ground.build()
        ground.write("report-0.txt")
        started = time.monotonic()
        ground.build()
        longest = time.monotonic() - started
        while tally.faults < kills and tally.builds < 20 * kills:
            ground.write(f"report-{chance.randrange(8)}.txt")
            process = _FORK.Process(target=_build_quietly, args=(ground,))
            process.start()
            process.join(chance.uniform(0.0, longest))
            if process.is_alive() and process.pid:
                os.kill(process.pid, signal.SIGKILL)
                tally.faults += 1
            process.join()
            tally.builds += 1
            serving = ground.check_serves(tally)
            tally.check(serving >= old, f"{serving} serves after {old}")
            old = max(old, serving)
        ground.check_mended(tally)
    return tally


def full_disk(chance: random.Random, sizes: int) -> Tally:
    """Less and less free space: on a small tmpfs where mounting is allowed, else by a limit on file sizes."""
    tally = Tally("disk full")
    with _small_disk() as disk, _ground(chance, disk) as ground:
        ground.build()
        # A build that changes nothing but one document needs the space of a whole generation.
        need = sum(path.stat().st_size for path in (ground.index / "generations").rglob("*") if path.is_file())
        tally.note = "a tmpfs of 8 MiB" if disk else "RLIMIT_FSIZE, as mounting is not allowed"
        for step in range(sizes):
            ground.write(f"report-{chance.randrange(8)}.txt")
            free = round(need * step / sizes)
            with _filled(disk, free) if disk else contextlib.nullcontext():
                process = _FORK.Process(target=_build_within, args=(ground, None if disk else max(1, free // 8)))
                process.start()
                process.join()
            tally.builds += 1
            tally.faults += process.exitcode == 3
            tally.check(process.exitcode in (0, 3), f"the builder ended with {process.exitcode} at {free} bytes free")
            ground.check_serves(tally)
            if step % 4 == 3:
                ground.check_mended(tally)
        ground.check_mended(tally)
    return tally


def _build_within(ground: Ground, largest_file: int | None) -> None:
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails with EFBIG instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    _build_quietly(ground)


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode != 0  # noqa: S603 - mount


@contextlib.contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of 8 MiB, or None where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="dossier-disk-") as folder:
        mount, unmount = shutil.which("mount"), shutil.which("umount")
        options = ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]
        if not (mount and unmount) or _fails([mount, *options]):
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run([unmount, "--lazy", folder], check=True)  # noqa: S603


@contextlib.contextmanager
def _filled(disk: Path, free: int) -> Iterator[None]:
    """Leave so many bytes free."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(disk).free - free))
    try:
        yield
    finally:
        filler.unlink()


def _flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _truncate(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def _empty(path: Path, chance: random.Random) -> None:
    os.truncate(path, 0)


def _lengthen(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(7))


def _remove(path: Path, chance: random.Random) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "flipped": _flip,
    "cut off": _truncate,
    "emptied": _empty,
    "lengthened": _lengthen,
    "removed": _remove,
}


def damaged_files(chance: random.Random, rounds: int) -> Tally:
    """Each file of the current generation damaged in each way, under a reader that has it open."""
    tally = Tally("file damaged")
    kinds = list(DAMAGES)
    with _ground(chance) as ground:
        ground.build()
        ground.write("report-0.txt")
        current = ground.build()
        names = [path.relative_to(generation_folder(ground.index, current)) for path in _files(ground, current)]
        cases = [(name, kind) for name in names for kind in kinds]
        chosen = cases * (rounds // len(cases)) + chance.sample(cases, rounds % len(cases))
        for name, kind in chosen:
            current = generation_names(ground.index)[-1]
            reader = IndexReader(ground.index, EMBEDDER)
            DAMAGES[kind](generation_folder(ground.index, current) / name, chance)
            tally.faults += 1
            _check_damage(ground, reader, f"{name} {kind}", tally)
            ground.write(f"report-{chance.randrange(8)}.txt")
            ground.check_mended(tally)
            ground.check_answers(reader.current(), tally)
    return tally


def _files(ground: Ground, generation: str) -> list[Path]:
    return sorted(path for path in generation_folder(ground.index, generation).rglob("*") if path.is_file())


def _check_damage(ground: Ground, reader: IndexReader, what: str, tally: Tally) -> None:
    report = verify(ground.index)
    tally.check(not report.ok and bool(report.problems), f"{what}: verify finds nothing")
    try:
        Index.open(ground.index, EMBEDDER).close()
        tally.losses.append(f"{what}: opened all the same")
    except DossierError as error:
        tally.check("dossier index build" in str(error), f"{what}: {error}")
    ground.check_answers(reader.current(), tally)
    ground.check_serves(tally, sound=False)


def changing_corpus(chance: random.Random, builds: int) -> Tally:
    """Documents that are written, replaced and removed while they are read."""
    tally = Tally("corpus changing")
    changed, stop = threading.Event(), threading.Event()
    with _ground(chance) as ground:
        ground.build()

        def change() -> None:
            while not stop.wait(0.002):
                name = f"report-{chance.randrange(1, 8)}.txt"
                if chance.random() < 0.2:
                    (ground.corpus / name).unlink(missing_ok=True)
                else:
                    ground.write(name)
                tally.faults += 1
                changed.set()

        thread = threading.Thread(target=change)
        thread.start()
        changed.wait()
        try:
            for _ in range(builds):
                ground.build()
                tally.builds += 1
                ground.check_serves(tally)
        finally:
            stop.set()
            thread.join()
        ground.check_mended(tally)
    return tally


def readers_and_builders(chance: random.Random, seconds: float, readers: int = 8, builders: int = 3) -> Tally:
    """Processes that build and processes that ask, all at once."""
    tally = Tally("readers and builders at once", note=f"{readers} readers, {builders} builders")
    with _ground(chance) as ground:
        ground.build()
        results: Any = _FORK.Queue()
        end = time.monotonic() + seconds
        workers = [_FORK.Process(target=_keep_building, args=(ground, n, end, results)) for n in range(builders)]
        workers += [_FORK.Process(target=_keep_asking, args=(ground, end, results)) for _ in range(readers)]
        for worker in workers:
            worker.start()
        for _ in workers:
            part = Tally(**results.get(timeout=seconds + 300))
            tally.faults += part.faults
            tally.builds += part.builds
            tally.answers += part.answers
            tally.losses += part.losses
        for worker in workers:
            worker.join()
            tally.check(worker.exitcode == 0, f"a process ended with {worker.exitcode}")
        for path in ground.corpus.glob("new-*.txt"):
            ground.texts[path.name] = {_as_loaded(path.read_text(encoding="utf-8"), path.name)}
        ground.check_mended(tally)
    return tally


def _keep_building(ground: Ground, number: int, end: float, results: Any) -> None:  # noqa: ANN401 - a queue
    tally = Tally("")
    with _told(tally, results):
        while time.monotonic() < end or not tally.builds:
            path = ground.corpus / f"new-{number}.txt"
            path.write_text(f"Builder {number} visited ministry {tally.builds} of the sea.\n", encoding="utf-8")
            ground.build()
            tally.builds += 1


def _keep_asking(ground: Ground, end: float, results: Any) -> None:  # noqa: ANN401 - a queue
    tally = Tally("")
    form = re.compile(r"Builder (\d) visited ministry \d+ of the sea\.\n?")
    with _told(tally, results):
        reader = IndexReader(ground.index, EMBEDDER)
        while time.monotonic() < end or not tally.answers:
            index = reader.current()
            for path, document in index.documents.items():
                if path.startswith("new-"):
                    tally.check(form.fullmatch(document.text) is not None, f"{path} holds {document.text[:50]!r}")
                    ground.texts.setdefault(path, set()).add(document.text)
            ground.check_answers(index, tally)


@contextlib.contextmanager
def _told(tally: Tally, results: Any) -> Iterator[None]:  # noqa: ANN401 - a queue
    logging.disable(logging.CRITICAL)
    try:
        yield
    except DossierError as error:
        tally.losses.append(str(error))
    finally:
        results.put(asdict(tally))


def run(
    kills: int,
    sizes: int,
    damages: int,
    changes: int,
    seconds: float,
    seed: int = 0,
    shown: Callable[[Tally], None] | None = None,
) -> list[Tally]:
    """All kinds of faults, so many of each."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    tallies: list[Tally] = []
    kinds: list[Callable[[], Tally]] = [
        lambda: killed_builders(chance, kills),
        lambda: full_disk(chance, sizes),
        lambda: damaged_files(chance, damages),
        lambda: changing_corpus(chance, changes),
        lambda: readers_and_builders(chance, seconds),
    ]
    for kind in kinds:
        tallies.append(kind())
        if shown:
            shown(tallies[-1])
    return tallies


def table(tallies: list[Tally]) -> str:
    """The counts as a Markdown table."""
    lines = ["| fault | faults | builds | passages checked | losses | |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {t.name} | {t.faults:,} | {t.builds:,} | {t.answers:,} | {len(t.losses)} | {t.note} |" for t in tallies
    ]
    return "\n".join(lines)


@click.command()
@click.option("--kills", default=200, help="Builders killed.")
@click.option("--sizes", default=40, help="Steps of free space, from none to enough.")
@click.option("--damages", default=200, help="Files damaged.")
@click.option("--changes", default=20, help="Builds of a corpus that changes.")
@click.option("--seconds", default=20.0, help="Time of eight readers and three builders.")
@click.option("--seed", default=0)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for faults.json.")
def main(kills: int, sizes: int, damages: int, changes: int, seconds: float, seed: int, out: Path | None) -> None:
    """Inject faults into an index and count what is lost; exit code 1 where anything is."""
    logging.disable(logging.WARNING)
    tallies = run(
        kills, sizes, damages, changes, seconds, seed, shown=lambda tally: click.echo(table([tally]), err=True)
    )
    click.echo(table(tallies))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "faults.json").write_text(json.dumps([asdict(tally) for tally in tallies], indent=1), encoding="utf-8")
    losses = [loss for tally in tallies for loss in tally.losses]
    for loss in losses[:20]:
        click.echo(loss, err=True)
    raise SystemExit(bool(losses))


if __name__ == "__main__":
    main()
