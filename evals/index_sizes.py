"""How building, opening and searching grow with the corpus: `python -m evals.index_sizes --sizes 1e3,1e4 --out DIR`.

Each build, and each opening, runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from evals.synthetic import SyntheticEmbedder, document_text, shipped_sentences, write_corpus

if TYPE_CHECKING:
    from index import Embedder
    from index.vectors import Rows

QUERIES = 200
COMPARED = 10
"""Nearest rows that recall is counted over."""
SHIPPED = Path(__file__).parent.parent / "corpus" / "documents"


@dataclass(frozen=True, slots=True)
class SizeResult:
    """What was measured at one size. Times in seconds or milliseconds as named, memory in MiB."""

    chunks: int
    documents: int
    embedder: str
    engine: str
    disk: float
    """MiB of the generation."""
    build_seconds: float
    build_processor: float
    """Seconds of processor time: on a shared machine the fairer number."""
    build_peak: float
    """Largest resident memory of the builder, mapped files included."""
    build_held: float
    """The part of it that is not mapped files: what the builder needs."""
    one_more_seconds: float
    """Building again with one document more."""
    one_more_processor: float
    one_more_embedded: int
    open_milliseconds: float
    open_processor: float
    """Milliseconds of processor time."""
    open_held: float
    """MiB that are not mapped files, after opening and all queries."""
    query_p50: float
    """Milliseconds of processor time of a hybrid search for ten chunks, without embedding the question."""
    query_p95: float
    vectors_p50: float
    vectors_p95: float
    bm25_p50: float
    bm25_p95: float
    recall: float
    """Share of the exact ten nearest vectors that the engine found."""


def _embedder(real: bool) -> Embedder:
    if not real:
        return SyntheticEmbedder()
    from index import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder.default()
    embedder.embed_query("Load the model before the clock starts.")
    return embedder


class _HeldMemory(threading.Thread):
    """Watches the memory of this process that is not mapped files."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0

    def run(self) -> None:
        while True:
            self.peak = max(self.peak, held_memory())
            time.sleep(0.02)


def held_memory() -> float:
    """MiB of this process that are not mapped files."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def measure_build(corpus: Path, folder: Path, *, real: bool) -> dict[str, Any]:
    """Build, in this process, and say what it took."""
    from index import build

    embedder = _embedder(real)
    watcher = _HeldMemory()
    watcher.start()
    before, processor = held_memory(), time.process_time()
    report = build(corpus, folder, embedder)
    return {
        "seconds": report.seconds,
        "processor": time.process_time() - processor,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "held": watcher.peak - before,
        "chunks": report.chunks,
        "documents": report.documents,
        "embedded": report.chunks_embedded,
        "disk": report.bytes / 2**20,
    }


def measure_queries(folder: Path, *, real: bool) -> dict[str, Any]:
    """Open the index in this process, search it, and compare with an exact search."""
    from index import Index
    from index.vectors import FlatVectors

    embedder = _embedder(real)
    Index.open(folder, embedder).close()  # imports faiss and bm25s, and brings the files into the page cache
    before, started, processor = held_memory(), time.perf_counter(), time.process_time()
    index = Index.open(folder, embedder)
    opened, opened_processor = (time.perf_counter() - started) * 1000, (time.process_time() - processor) * 1000
    chance = random.Random(1)  # noqa: S311 - no secret
    chunks = [index.chunks[chance.randrange(len(index.chunks))] for _ in range(QUERIES)]
    asked = [" ".join([index.documents[chunk.document].title, *_words(index.text(chunk), chance)]) for chunk in chunks]
    vectors = np.stack([embedder.embed_query(text) for text in asked])  # (queries, dimension)
    places = iter(vectors)
    for vector in vectors[:5]:
        index.vectors.search(vector[None], 50)
    found, vector_times = _timed(lambda place: index.vectors.search(vectors[place][None], 50)[1][0])
    _, bm25_times = _timed(lambda place: index._lexical.search(asked[place], 50)[1])
    index.embedder = _Given(embedder, places)
    _, times = _timed(lambda place: np.asarray([hit.row for hit in index.search(asked[place], 10)]))
    from index.generations import generation_folder

    exact = FlatVectors.load(generation_folder(folder, index.generation)).search(vectors, COMPARED)[1]
    shares = [np.isin(best, rows[:COMPARED]).mean() for best, rows in zip(exact, found, strict=True)]
    quantiles = {
        f"{name}_p{share}": float(np.percentile(values, share))
        for name, values in (("query", times), ("vectors", vector_times), ("bm25", bm25_times))
        for share in (50, 95)
    }
    return {
        "open": opened,
        "open_processor": opened_processor,
        "held": held_memory() - before,
        "engine": index.manifest.vectors["engine"],
        "recall": float(np.mean(shares)),
        **quantiles,
    }


class _Given:
    """Gives vectors that were made before, so that a search is timed without its embedding."""

    def __init__(self, embedder: Embedder, vectors: Any) -> None:  # noqa: ANN401 - an iterator of vectors
        self._embedder, self._vectors = embedder, vectors
        self.name, self.weights_hash, self.dimension = embedder.name, embedder.weights_hash, embedder.dimension
        self.embed_documents = embedder.embed_documents

    def embed_query(self, text: str) -> Any:  # noqa: ANN401 - a vector
        return next(self._vectors)


def _words(text: str, chance: random.Random) -> list[str]:
    words = text.split()
    return chance.sample(words, min(7, len(words)))


def _timed(search: Callable[[int], Rows]) -> tuple[list[Rows], list[float]]:
    """What each query found, and the milliseconds of processor time that it took, in its one thread."""
    found, times = [], []
    for place in range(QUERIES):
        started = time.thread_time()
        found.append(search(place))
        times.append((time.thread_time() - started) * 1000)
    return found, times


def _in_a_process(step: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "evals.index_sizes", "--step", step, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - itself
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _once(place: Path, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a step gave, done now unless an earlier run that was broken off has done it."""
    file = place / f"{name}.json"
    if not file.exists():
        file.write_text(json.dumps(work()), encoding="utf-8")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def measure(chunks: int, out: Path, *, real: bool, keep: bool = False) -> SizeResult:
    """Measure one size, with a corpus and an index below `out` that are removed afterwards unless `keep`.

    A run that was broken off goes on after its last whole step.
    """
    place = out / f"{chunks}-{'real' if real else 'synthetic'}"
    corpus, folder = place / "corpus", place / "index"
    sentences = shipped_sentences(SHIPPED)
    added = corpus / "0000" / "report-one-more.md"
    options = ["--corpus", str(corpus), "--index", str(folder), *(["--real"] if real else [])]

    def write() -> dict[str, Any]:
        shutil.rmtree(corpus, ignore_errors=True)
        return {"documents": write_corpus(corpus, sentences, chunks)}

    def build_all() -> dict[str, Any]:
        shutil.rmtree(folder, ignore_errors=True)
        return _in_a_process("build", *options)

    def build_one_more() -> dict[str, Any]:
        text = document_text(written["documents"], sentences, random.Random(2))  # noqa: S311 - no secret
        added.write_text(text, encoding="utf-8")
        return _in_a_process("build", *options)

    place.mkdir(parents=True, exist_ok=True)
    written = _once(place, "written", write)
    built = _once(place, "built", build_all)
    queried = _once(place, "queried", lambda: _in_a_process("query", *options))
    one_more = _once(place, "one-more", build_one_more)
    if not keep:
        shutil.rmtree(place)
    return SizeResult(
        chunks=built["chunks"],
        documents=built["documents"],
        embedder="multilingual-e5-small" if real else "synthetic",
        engine=queried["engine"],
        disk=built["disk"],
        build_seconds=built["seconds"],
        build_processor=built["processor"],
        build_peak=built["peak"],
        build_held=built["held"],
        one_more_seconds=one_more["seconds"],
        one_more_processor=one_more["processor"],
        one_more_embedded=one_more["embedded"],
        open_milliseconds=queried["open"],
        open_processor=queried["open_processor"],
        open_held=queried["held"],
        recall=queried["recall"],
        **{name: queried[name] for name in SizeResult.__dataclass_fields__ if name[-4:] in ("_p50", "_p95")},
    )


def table(results: Sequence[SizeResult]) -> str:
    """The results as a Markdown table, with the power of the size that each grows with from row to row."""
    lines = [
        "| chunks | embedder | engine | build s (processor) | memory held, peak MiB | disk MiB | "
        "one more s (processor) | open ms (processor) | "
        "search p50, p95 ms | vectors p50, p95 | BM25 p50, p95 | recall@10 |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.chunks:,} | {r.embedder} | {r.engine} | {r.build_seconds:,.1f} ({r.build_processor:,.1f}) | "
        f"{r.build_held:,.0f}, {r.build_peak:,.0f} | {r.disk:,.0f} | "
        f"{r.one_more_seconds:,.2f} ({r.one_more_processor:,.2f}) | "
        f"{r.open_milliseconds:,.0f} ({r.open_processor:,.0f}) | {r.query_p50:.1f}, {r.query_p95:.1f} | "
        f"{r.vectors_p50:.1f}, {r.vectors_p95:.1f} | {r.bm25_p50:.1f}, {r.bm25_p95:.1f} | {r.recall:.3f} |"
        for r in results
    ]
    return "\n".join(lines)


def growth(results: Sequence[SizeResult]) -> str:
    """How measures grow from the smallest to the largest synthetic size: exponents of powers of the size."""
    same = sorted((r for r in results if r.embedder == "synthetic"), key=lambda r: r.chunks)
    if len(same) < 2:
        return ""
    first, last = same[0], same[-1]
    names = ("build_processor", "build_held", "disk", "one_more_processor", "open_processor", "query_p50")
    larger = np.log(last.chunks / first.chunks)
    powers = (f"{name} {np.log(getattr(last, name) / max(getattr(first, name), 1e-3)) / larger:.2f}" for name in names)
    return f"Exponents of growth from {first.chunks:,} to {last.chunks:,} chunks: {', '.join(powers)}."


def plot(results: Sequence[SizeResult], file: Path) -> None:
    """Four panels over the size, both axes logarithmic: building, memory, opening, searching."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    same = sorted((r for r in results if r.embedder == "synthetic"), key=lambda r: r.chunks)
    real = sorted((r for r in results if r.embedder != "synthetic"), key=lambda r: r.chunks)
    panels: list[tuple[str, list[tuple[str, str]]]] = [
        (
            "building, processor seconds",
            [("build_processor", "everything"), ("one_more_processor", "one document more")],
        ),
        (
            "memory, MiB",
            [("build_held", "held while building"), ("open_held", "held while searching"), ("disk", "on disk")],
        ),
        ("opening, processor milliseconds", [("open_processor", "opening")]),
        (
            "one search, processor milliseconds",
            [("query_p50", "p50"), ("query_p95", "p95"), ("vectors_p50", "vectors, p50"), ("bm25_p50", "BM25, p50")],
        ),
    ]
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "dossier", "font.size": 10}):
        figure = Figure(figsize=(9, 6.2), layout="constrained")
        FigureCanvasSVG(figure)
        for axes, (title, curves) in zip(figure.subplots(2, 2).flat, panels, strict=True):
            for (name, label), colour in zip(curves, ("#3b7dd8", "#d9622b", "#3f9b63", "#8a63b8"), strict=False):
                axes.loglog([r.chunks for r in same], [getattr(r, name) for r in same], "o-", color=colour, label=label)
            if title.startswith("building") and real:
                axes.loglog(
                    [r.chunks for r in real],
                    [r.build_processor for r in real],
                    "s--",
                    color="#777777",
                    label="everything, with the default embedder",
                )
            axes.set(title=title, xlabel="chunks")
            axes.set_ylim(bottom=10 ** np.floor(np.log10(max(axes.get_ylim()[0], 1e-3))))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            if len(curves) > 1:
                axes.legend(frameon=False, fontsize=8)
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


@click.command()
@click.option("--sizes", default="1e3,1e4", help="Chunks, with commas between.")
@click.option("--real", "real", is_flag=True, help="Embed with the default model instead of synthetic vectors.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results and the work.")
@click.option("--keep", is_flag=True, help="Keep corpus, index and measurements; a further run takes them.")
@click.option("--step", type=click.Choice(["build", "query"]), hidden=True)
@click.option("--corpus", type=click.Path(path_type=Path), hidden=True)
@click.option("--index", "folder", type=click.Path(path_type=Path), hidden=True)
def main(
    sizes: str, real: bool, out: Path | None, keep: bool, step: str | None, corpus: Path | None, folder: Path | None
) -> None:
    """Measure the index at several sizes; results gather in DIR/sizes.json, with a table and a plot beside it."""
    if step and folder:
        found = (
            measure_build(corpus, folder, real=real)
            if step == "build" and corpus
            else measure_queries(folder, real=real)
        )
        click.echo(json.dumps(found))
        return
    if out is None:
        raise click.UsageError("Name a folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    file = out / "sizes.json"
    results = [SizeResult(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []
    for size in sizes.split(","):
        result = measure(round(float(size)), out, real=real, keep=keep)
        same = (result.embedder, round(result.chunks, 1 - len(str(result.chunks))))
        results = [r for r in results if (r.embedder, round(r.chunks, 1 - len(str(r.chunks)))) != same] + [result]
        results.sort(key=lambda r: (r.embedder, r.chunks))
        file.write_text(json.dumps([asdict(r) for r in results], indent=1), encoding="utf-8")
        (out / "sizes.md").write_text(f"{table(results)}\n\n{growth(results)}\n", encoding="utf-8")
        plot(results, out / "sizes.svg")
        click.echo(f"{table(results)}\n\n{growth(results)}\n")


if __name__ == "__main__":
    main()
