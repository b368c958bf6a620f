"""Trains the adapter of the embedding model: `python -m evals.train_embedder OUT.npz`.

The examples are the questions with an answer of the invented folders (`evals/worlds`). The model learns to put the
sentence that answers a question, and the chunk it stands in, above the others of the folder: those that the search
finds for the question, and what was found for other questions of the same step (InfoNCE: Oord et al., 2018; LoRA: Hu et
al., 2021). Needs 4 GB of memory; a pass over the folders takes some ten minutes on two cores.
"""

from __future__ import annotations

import logging
import math
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from corpus.chunks import contextualise
from corpus.document import Span
from evals.invented import WORLDS, evidence_places, open_world
from index import Embedder, SentenceTransformerEmbedder
from index.packed_e5 import PROMPTS, load_model, load_tokenizer, read_packed, write_folder
from index.weights import EMBEDDING_MODEL, ensure_file
from qa.abbreviations import expand
from qa.evidence import rank_sentences

RANK, SCALE = 16, 2.0
LEARNING_RATE = 5e-4
TEMPERATURE = 0.03
QUESTIONS = 16
"""Questions of one folder whose losses make one step."""
NEAREST, OTHERS = 5, 3
"""Sentences, and chunks, that do not answer a question: the best of the search, and some of the rest."""
ANSWERS = 3
"""Most sentences, and chunks, that answer a question."""
CHUNK_WEIGHT = 0.5
"""Weight of the loss over chunks; that over sentences has 1."""
TOKENS = {"sentences": 160, "chunks": 256}
"""Most tokens that are read of each."""
BATCH = 32
REPORTED = 20
"""Steps between two lines of the log."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What the search finds for a question, as it is embedded, best first: what answers it and what does not."""

    answers: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A question, and what was found for it."""

    question: str
    sentences: Found
    chunks: Found


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--minutes", default=30.0, help="How long to train, after the folders were indexed.")
@click.option("--worlds", default=WORLDS, type=click.Path(exists=True, path_type=Path))
@click.option("--seed", default=0, help="The order of the questions.")
def main(out: Path, minutes: float, worlds: Path, seed: int) -> None:
    """Train on the folders in WORLDS and write the adapter to OUT."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    choose = random.Random(seed)  # noqa: S311 - an order, no secret
    packed = ensure_file(EMBEDDING_MODEL)
    with tempfile.TemporaryDirectory() as folder:  # as it was published: what it finds is what it is to tell apart
        write_folder(packed, Path(folder))
        embedder = SentenceTransformerEmbedder.from_folder(Path(folder))
        folders = [read_world(path, embedder) for path in sorted(worlds.glob("*.json"))]
    _log.info("%d questions", sum(map(len, folders)))
    np.savez(out, **train(folders, packed, minutes, choose))


def read_world(path: Path, embedder: Embedder) -> list[Example]:
    """The questions of one folder that have an answer, with what the search finds for each."""
    examples = []
    with open_world(path, embedder) as (pipeline, questions):
        index = pipeline.index
        for question in questions:
            places = evidence_places(question, pipeline)
            hits = index.search(expand(question["question"], index), pipeline.settings.candidates)
            sentences = [
                (sentence.titled, _answers(sentence.document, (sentence.start, sentence.end), places))
                for sentence in rank_sentences(question["question"], hits, index)
            ]
            chunks = [
                (
                    contextualise(index.documents[hit.chunk.document], hit.chunk),
                    _answers(hit.chunk.document, (hit.chunk.start, hit.chunk.end), places),
                )
                for hit in hits
            ]
            if any(answers for _, answers in sentences):
                examples.append(Example(question["question"], _parted(sentences), _parted(chunks)))
    return examples


def _answers(document: str, span: Span, places: Sequence[tuple[str, Span]]) -> bool:
    """Whether a place holds half of a quote of the evidence, or a quote half of it."""
    return any(
        path == document and min(span[1], end) - max(span[0], start) >= min(end - start, span[1] - span[0]) / 2
        for path, (start, end) in places
    )


def _parted(texts: Sequence[tuple[str, bool]]) -> Found:
    return Found(*(tuple(text for text, answers in texts if answers is wanted) for wanted in (True, False)))


def train(folders: Sequence[Sequence[Example]], packed: Path, minutes: float, choose: random.Random) -> dict[str, Any]:
    """The adapter, by the names that `index.packed_e5` knows, float16."""
    import torch

    torch.manual_seed(0)
    published = read_packed(packed)
    model, tokenizer = load_model(published).requires_grad_(False).train(), load_tokenizer(published)
    halves = add_adapter(model)
    weights = [weight for pair in halves.values() for weight in pair]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.0)
    begun, losses, left = time.perf_counter(), list[float](), list[Sequence[Example]]()
    while (done := (time.perf_counter() - begun) / 60 / minutes) < 1:
        if not left:
            left = choose.sample(list(folders), len(folders))
        examples = left.pop()
        if not examples:
            continue
        for group in optimizer.param_groups:
            warm = min(1.0, (len(losses) + 1) / REPORTED)
            group["lr"] = LEARNING_RATE * warm * max(0.03, 0.5 * (1 + math.cos(math.pi * done)))
        loss = _loss(choose.sample(examples, min(QUESTIONS, len(examples))), model, tokenizer, choose)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if len(losses) % REPORTED == 0:
            minute = (time.perf_counter() - begun) / 60
            _log.info("%d steps, %.1f min, loss %.3f", len(losses), minute, np.mean(losses[-REPORTED:]))
    return {
        f"{name}.{half}": weight.detach().numpy().astype(np.float16)
        for name, (a, b) in halves.items()
        for half, weight in (("a", a), ("b", b * SCALE))
    }


def add_adapter(model: Any) -> dict[str, tuple[Any, Any]]:  # noqa: ANN401 - transformers' models have no types
    """An adapter that changes nothing yet, on every matrix of the layers; its halves, by the matrix's name."""
    import torch

    halves = {}
    for name, module in model.encoder.named_modules(prefix="encoder"):
        if isinstance(module, torch.nn.Linear):
            a = torch.nn.Parameter(torch.randn(RANK, module.in_features) / math.sqrt(module.in_features))
            b = torch.nn.Parameter(torch.zeros(module.out_features, RANK))
            halves[name] = a, b
            module.register_forward_hook(
                lambda _, inputs, output, a=a, b=b: output + SCALE * (inputs[0] @ a.T @ b.T).to(output.dtype)
            )
    return halves


def _loss(examples: Sequence[Example], model: Any, tokenizer: Any, choose: random.Random) -> Any:  # noqa: ANN401
    """How far the answers are from the top of all that is compared in one step, sentences and chunks apart."""
    asked = _embed([PROMPTS["query"] + example.question for example in examples], 160, model, tokenizer)
    sentences = _contrast(asked, [example.sentences for example in examples], "sentences", model, tokenizer, choose)
    chunks = _contrast(asked, [example.chunks for example in examples], "chunks", model, tokenizer, choose)
    return sentences + CHUNK_WEIGHT * chunks


def _contrast(
    asked: Any,  # noqa: ANN401
    found: Sequence[Found],
    kind: str,
    model: Any,  # noqa: ANN401
    tokenizer: Any,  # noqa: ANN401
    choose: random.Random,
) -> Any:  # noqa: ANN401
    """Minus the log-probability of what answers each question, against all that answers it not; a mean."""
    import torch

    compared: dict[str, int] = {}
    for each in found:
        rest = each.others[NEAREST:]
        others = [*each.others[:NEAREST], *choose.sample(rest, min(OTHERS, len(rest)))]
        for text in (*each.answers[:ANSWERS], *others):
            compared.setdefault(text, len(compared))
    vectors = _embed([PROMPTS["document"] + text for text in compared], TOKENS[kind], model, tokenizer)
    losses = []
    for scores, each in zip(asked @ vectors.T / TEMPERATURE, found, strict=True):
        places = [compared[text] for text in each.answers if text in compared]
        if places:
            wrong = torch.ones(len(compared), dtype=torch.bool)
            wrong[places] = False
            beaten = torch.logsumexp(scores[wrong], 0)
            right = scores[places]
            losses.append((torch.logaddexp(right, beaten) - right).mean())
    return torch.stack(losses).mean() if losses else torch.zeros(())


def _embed(texts: Sequence[str], tokens: int, model: Any, tokenizer: Any) -> Any:  # noqa: ANN401
    """Unit vectors, (len(texts), dimension), with gradients."""
    import torch

    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # alike in length, little is padding
    vectors: list[Any] = [None] * len(texts)
    for first in range(0, len(order), BATCH):
        places = order[first : first + BATCH]
        read = tokenizer(
            [texts[place] for place in places],
            padding=True,
            truncation=True,
            max_length=tokens,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(**read).last_hidden_state.float()  # (places, tokens, dimension)
        mask = read["attention_mask"][..., None].float()
        means = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
        for row, place in enumerate(places):
            vectors[place] = means[row]
    return torch.stack(vectors)


if __name__ == "__main__":
    main()
