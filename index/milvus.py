"""Milvus by address: a collection a generation, which proposes rows; the generation's own vectors give the scores.

A cluster serves many readers of a large index. The generation on disk stays complete without it, so that a lost
collection costs a copy, no embedding, and so that `verify` can compare every vector.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from index.embedder import Vectors
from index.errors import IndexDamagedError, IndexFaultError
from index.generations import generation_names, write_atomically
from index.vectors import DEEPER, FlatVectors, Rows, Scores

TOKEN_VARIABLE = "DOSSIER_MILVUS_TOKEN"  # noqa: S105 - the name of a variable
"""Holds `user:password` or an API key for a server that asks for one; never written to disk."""
ID_FILE = "ID"
"""Random name of an index, so that several can share a server."""
INSERTED = 1_000
"""Vectors sent at once: 1.5 MB at 384 dimensions, of the 64 MB that a server takes."""
TIMEOUT = 60.0
"""Seconds that one call may take."""

_CONNECTING = threading.Lock()
_clients: dict[str, Any] = {}
"""One connection an address: a server cuts off those who come too often."""

logger = logging.getLogger(__name__)


def is_address(setting: str) -> bool:
    """Whether a setting names Milvus: an http(s) address, or a file for milvus-lite."""
    return setting.startswith(("http://", "https://")) or setting.endswith(".db")


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client whose faults are faults of the index.

    Raises:
        IndexFaultError: pymilvus is not installed, the server does not answer, or it refuses.
    """
    try:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException
    except ImportError as error:
        raise IndexFaultError(
            f"The vectors are to be searched by Milvus at {address}, and its client is not installed. "
            "Run: pip install 'dossier[milvus]', or set vectors to auto"
        ) from error
    try:
        with _CONNECTING:
            client = _clients.get(address)
            if client is None:
                client = MilvusClient(address, token=os.environ.get(TOKEN_VARIABLE, ""), timeout=TIMEOUT)
                _clients[address] = client
        yield client
    except MilvusException as error:
        _clients.pop(address, None)
        raise IndexFaultError(
            f"Milvus at {address} cannot do what is asked of it: {error.message}. Start or mend it, or set vectors to "
            "auto, and run: dossier index build"
        ) from error


def collection_prefix(folder: Path) -> str:
    """What the names of an index's collections begin with; its id is made where there is none."""
    path = folder / ID_FILE
    try:
        name = path.read_text(encoding="utf-8").strip()
    except OSError:
        name = ""
    if not (len(name) == 12 and name.isalnum()):
        name = secrets.token_hex(6)
        write_atomically(path, name + "\n")
    return f"dossier_{name}_"


def collection_name(folder: Path, generation: str) -> str:
    """The collection of a generation."""
    return collection_prefix(folder) + generation.replace("-", "_")


def fill(flat: FlatVectors, address: str, collection: str) -> None:
    """Copy the vectors of a generation into a new collection; one of the name that a killed builder left is replaced.

    Raises:
        IndexFaultError: Milvus cannot be reached, or refuses.
    """
    from pymilvus import DataType

    with _connected(address) as client:
        if client.has_collection(collection):
            client.drop_collection(collection)
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=flat.dimension)
        parameters = client.prepare_index_params()
        parameters.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        client.create_collection(collection, schema=schema, index_params=parameters, consistency_level="Strong")
        for start in range(0, len(flat), INSERTED):
            block = flat.block(start, start + INSERTED)
            client.insert(collection, [{"row": start + place, "vector": row} for place, row in enumerate(block)])
        client.flush(collection)


def remove_orphans(folder: Path, address: str) -> None:
    """Drop the collections of generations that are no more, and of builds that were never finished. Needs the lock.

    Raises:
        IndexFaultError: Milvus cannot be reached, or refuses.
    """
    prefix = collection_prefix(folder)
    kept = {collection_name(folder, name) for name in generation_names(folder)}
    with _connected(address) as client:
        for name in client.list_collections():
            if name.startswith(prefix) and name not in kept:
                client.drop_collection(name)
                logger.info("Dropped the collection %s", name)


def differences(flat: FlatVectors, address: str, collection: str, *, contents: bool = True) -> list[str]:
    """What a collection holds otherwise than the generation, in words; with `contents`, every vector is compared."""
    try:
        with _connected(address) as client:
            if not client.has_collection(collection):
                return [f"Milvus at {address} holds no collection {collection}"]
            count = int(client.query(collection, output_fields=["count(*)"])[0]["count(*)"])
            if count != len(flat):
                return [f"{collection} in Milvus holds {count:,} vectors, {len(flat):,} were written"]
            for start in range(0, len(flat) if contents else 0, INSERTED):
                block = flat.block(start, start + INSERTED)
                found = client.query(
                    collection,
                    filter=f"row >= {start} and row < {start + len(block)}",
                    output_fields=["row", "vector"],
                )
                found.sort(key=lambda item: item["row"])
                if not np.array_equal(np.asarray([item["vector"] for item in found], np.float32), block):
                    return [f"{collection} in Milvus: vectors from row {start} on are not as they were written"]
    except IndexFaultError as error:
        return [str(error)]
    return []


class MilvusVectors:
    """Asks a collection for rows."""

    def __init__(self, flat: FlatVectors, address: str, collection: str) -> None:
        """Nothing is connected before the first search."""
        self._flat = flat
        self._address = address
        self._collection = collection

    def search(self, queries: Vectors, k: int) -> tuple[Scores, Rows]:
        """See `VectorStore.search`.

        Raises:
            IndexFaultError: Milvus cannot be reached, or refuses.
            IndexDamagedError: The collection is not the one that was filled.
        """
        k = min(k, len(self._flat))
        deeper = min(k + DEEPER, len(self._flat))
        if k == 0:
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        with _connected(self._address) as client:
            found = client.search(
                self._collection,
                data=list(np.asarray(queries, np.float32)),
                anns_field="vector",
                limit=deeper,
                output_fields=["row"],
            )
        proposed = [np.asarray([hit["row"] for hit in hits], np.int64) for hits in found]
        if any(len(rows) and not 0 <= rows.min() <= rows.max() < len(self._flat) for rows in proposed):
            raise IndexDamagedError(
                f"The collection {self._collection} of Milvus at {self._address} is not of this index. "
                "Run: dossier index build"
            )
        best = [self._flat.rank(query, rows, k) for query, rows in zip(queries, proposed, strict=True)]
        return np.stack([scores for scores, _ in best]), np.stack([rows for _, rows in best])

    def get(self, rows: Rows) -> Vectors:
        """See `VectorStore.get`."""
        return self._flat.get(rows)
