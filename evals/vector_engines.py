"""Flat, inverted file and graph over the same vectors: `python -m evals.vector_engines --sizes 1e4,1e5`.

What `index.inverted.FROM_SIZE` and the choice of the inverted file rest on.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from evals.synthetic import SyntheticEmbedder
from index.embedder import Vectors
from index.inverted import InvertedVectors, recall
from index.vectors import BLOCK, FlatVectors, Rows, VectorWriter

QUERIES = 200
NEAREST = 10
LINKS = 32
"""Neighbours of a node of the graph, as Malkov and Yashunin (2018) take for high recall."""
BREADTH = 80
"""Candidates looked at while a node is linked."""
SEARCH_BREADTHS = (32, 64, 128, 256, 512)
WANTED = 0.98


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine at one size."""

    engine: str
    vectors: int
    made: float
    """Processor seconds to make what is searched, beyond the vectors themselves."""
    bytes: int
    """On disk or in memory beyond the vectors themselves."""
    p50: float
    p95: float
    """Milliseconds of processor time of a search for the ten nearest, in one thread."""
    recall: float
    setting: str = ""


def write_vectors(folder: Path, count: int) -> FlatVectors:
    """Synthetic vectors in clusters, ten to a document."""
    embedder = SyntheticEmbedder()
    with VectorWriter(folder, count, embedder.dimension) as writer:
        for start in range(0, count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            writer.write(
                rows, embedder.embed_documents([f"Report {row // 10} part {row % 10}" for row in rows.tolist()])
            )
    return FlatVectors.load(folder)


def _queries(count: int) -> Vectors:
    embedder = SyntheticEmbedder()
    chosen = np.random.default_rng(5).integers(0, max(1, count // 10), QUERIES)
    return np.stack([embedder.embed_query(f"Report {number}") for number in chosen.tolist()])


def _timed(queries: Vectors, search: Callable[[Vectors], Rows]) -> tuple[Rows, float, float]:
    for query in queries[:5]:
        search(query[None])
    found, times = [], []
    for query in queries:
        started = time.thread_time()
        found.append(search(query[None])[0])
        times.append((time.thread_time() - started) * 1000)
    return np.stack(found), float(np.percentile(times, 50)), float(np.percentile(times, 95))


def compare(count: int, *, graph: bool) -> Iterator[EngineResult]:
    """Each engine over `count` vectors."""
    import faiss

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        flat, queries = write_vectors(folder, count), _queries(count)
        exact, p50, p95 = _timed(queries, lambda query: flat.search(query, NEAREST)[1])
        yield EngineResult("flat", count, 0.0, 0, p50, p95, 1.0)
        started = time.process_time()
        inverted = InvertedVectors.build(flat)
        made = time.process_time() - started
        if inverted is not None:
            inverted.save(folder)
            size = sum(path.stat().st_size for path in folder.glob("ivf.*"))
            found, p50, p95 = _timed(queries, lambda query: inverted.search(query, NEAREST)[1])
            lists = len(inverted.centroids)
            yield EngineResult(
                "ivf", count, made, size, p50, p95, recall(exact, found), f"{inverted.probes} of {lists} lists"
            )
        if not graph:
            return
        started = time.process_time()
        hnsw = faiss.IndexHNSWFlat(flat.dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
        hnsw.hnsw.efConstruction = BREADTH
        for start in range(0, count, BLOCK):
            hnsw.add(np.ascontiguousarray(flat.block(start, start + BLOCK)))
        made = time.process_time() - started
        faiss.write_index(hnsw, str(folder / "hnsw"))
        size = (folder / "hnsw").stat().st_size - count * flat.dimension * 4
        for breadth in SEARCH_BREADTHS:
            hnsw.hnsw.efSearch = breadth
            found, p50, p95 = _timed(queries, lambda query: hnsw.search(query, NEAREST)[1])
            if recall(exact, found) >= WANTED or breadth == SEARCH_BREADTHS[-1]:
                yield EngineResult("hnsw", count, made, size, p50, p95, recall(exact, found), f"efSearch {breadth}")
                return


def table(results: Sequence[EngineResult]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| vectors | engine | made, processor s | MiB beyond the vectors | p50, p95 ms | recall@10 | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.vectors:,} | {r.engine} | {r.made:,.1f} | {r.bytes / 2**20:,.1f} | {r.p50:.2f}, {r.p95:.2f} | "
        f"{r.recall:.3f} | {r.setting} |"
        for r in results
    ]
    return "\n".join(lines)


@click.command()
@click.option("--sizes", default="1e4,3e4,1e5", help="Vectors, with commas between.")
@click.option("--graph-up-to", default="1e5", help="Largest size at which the graph is made too: it takes long.")
def main(sizes: str, graph_up_to: str) -> None:
    """Compare the engines that search vectors in the process."""
    results: list[EngineResult] = []
    for size in sizes.split(","):
        for result in compare(round(float(size)), graph=float(size) <= float(graph_up_to)):
            results.append(result)
            click.echo(table([result]).splitlines()[-1], err=True)
    click.echo(table(results))


if __name__ == "__main__":
    main()
