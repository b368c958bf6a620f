"""Which engine searches the vectors of a generation: made by the build, named in the manifest, opened by readers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import milvus
from index.errors import IndexDamagedError, IndexFaultError
from index.generations import generation_folder
from index.inverted import FROM_SIZE, REGROWN, Assignment, InvertedVectors
from index.manifest import Manifest
from index.vectors import FlatVectors, VectorStore

EMBEDDED = ("auto", "flat", "ivf")
"""Engines in the process: `auto` is flat below `index.inverted.FROM_SIZE` vectors."""

logger = logging.getLogger(__name__)


def check_setting(setting: str) -> None:
    """Refuse an engine that there is not.

    Raises:
        IndexFaultError: The message names those that there are.
    """
    if setting not in EMBEDDED and not milvus.is_address(setting):
        raise IndexFaultError(
            f"There is no vector engine {setting!r}. Set vectors to one of {', '.join(EMBEDDED)}, or to the address of "
            "a Milvus server, for example http://127.0.0.1:19530"
        )


def make_engine(
    folder: Path,
    draft: Path,
    generation: str,
    setting: str,
    earlier: tuple[VectorStore, NDArray[np.int64]] | None = None,
    unclustered: int = 0,
) -> dict[str, Any]:
    """Make what searches the vectors of a draft.

    Args:
        folder: The index folder.
        draft: The folder that the vectors were written to.
        generation: Name that the draft will have.
        setting: See `check_setting`.
        earlier: Engine of the generation that vectors were taken over from, and of each row its row there, or -1.
        unclustered: How many vectors an earlier generation found no clusters in, or 0: looking again costs 7 processor
            seconds at 100,000 vectors, and is done once there are `REGROWN` times as many.

    Returns:
        What the manifest says of the engine.

    Raises:
        IndexFaultError: Milvus cannot be reached, or refuses.
    """
    flat = FlatVectors.load(draft)
    if milvus.is_address(setting):
        milvus.remove_orphans(folder, setting)
        collection = milvus.collection_name(folder, generation)
        milvus.fill(flat, setting, collection)
        return {"setting": setting, "engine": "milvus", "address": setting, "collection": collection}
    if setting == "ivf" or (setting == "auto" and len(flat) >= FROM_SIZE):
        if not 1 / REGROWN < unclustered / max(1, len(flat)) <= REGROWN:
            unclustered = len(flat)
            inverted = InvertedVectors.build(flat, _known(earlier))
            if inverted is not None:
                inverted.save(draft)
                return {"setting": setting, "engine": "ivf"}
        logger.info("These vectors form no clusters; they are searched whole")
        return {"setting": setting, "engine": "flat", "unclustered": unclustered}
    return {"setting": setting, "engine": "flat"}


def _known(earlier: tuple[VectorStore, NDArray[np.int64]] | None) -> Assignment | None:
    store, base_rows = earlier or (None, np.zeros(0, np.int64))
    if not isinstance(store, InvertedVectors):
        return None
    lists = store.assignment()
    return Assignment(store.centroids, np.where(base_rows >= 0, lists[base_rows], -1).astype(np.int32), store.probes)


def open_engine(folder: Path, manifest: Manifest) -> VectorStore:
    """The engine of a generation, over its mapped vectors.

    Raises:
        IndexDamagedError: Files are missing, cut off, or do not fit each other.
    """
    flat = FlatVectors.load(folder)
    if (len(flat), flat.dimension) != (manifest.chunks, manifest.dimension):
        raise IndexDamagedError(
            f"{folder} holds {len(flat)} vectors of {flat.dimension} dimensions for {manifest.chunks} chunks of "
            f"{manifest.dimension}. Run: dossier index build"
        )
    engine = manifest.vectors.get("engine")
    if engine == "ivf":
        return InvertedVectors.load(folder, flat)
    if engine == "milvus":
        return milvus.MilvusVectors(flat, manifest.vectors["address"], manifest.vectors["collection"])
    return flat


def engine_problems(folder: Path, manifest: Manifest, *, contents: bool = True) -> list[str]:
    """What is wrong with what a generation keeps elsewhere; its files are checked by `check_files`.

    Args:
        folder: The generation's folder.
        manifest: Its manifest.
        contents: Whether to compare every vector; otherwise only their number.
    """
    if manifest.vectors.get("engine") != "milvus":
        return []
    try:
        flat = FlatVectors.load(folder)
    except IndexDamagedError as error:
        return [str(error)]
    return milvus.differences(flat, manifest.vectors["address"], manifest.vectors["collection"], contents=contents)


def remove_orphans(folder: Path, manifests: Mapping[str, Manifest]) -> None:
    """Drop what collected generations kept elsewhere. Needs the lock.

    Args:
        folder: The index folder.
        manifests: Of the generations before and after collecting, by name.
    """
    addresses = {manifest.vectors["address"] for manifest in manifests.values() if "address" in manifest.vectors}
    gone = {name for name in manifests if not generation_folder(folder, name).exists()}
    for address in sorted(addresses):
        if not any(manifests[name].vectors.get("address") == address for name in gone):
            continue
        try:
            milvus.remove_orphans(folder, address)
        except IndexFaultError as error:
            logger.warning("Collections of old generations are left over: %s", error)
