"""Trains the adapter of the embedding model: `python -m evals.train_embedder OUT.npz`.

The examples are the questions with an answer of the invented folders (`evals/worlds`). The model learns to put the
sentence that answers a question above the others of the folder: those that the search finds for the question, and what
was found for other questions of the same step (InfoNCE: Oord et al., 2018; LoRA: Hu et al., 2021). It compares
sentences only; chunks are compared by the model as it was published, which is better at them (evals/LOG.md). Needs 3 GB
of memory; a pass over the folders takes some seven minutes on two cores.
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

from corpus.document import Span
from evals.invented import WORLDS, characters_held, evidence_places, open_world
from index import Embedder, SentenceTransformerEmbedder
from index.packed_e5 import PROMPTS, load_model, load_tokenizer, read_packed, write_folder
from index.weights import EMBEDDING_MODEL, ensure_file
from qa.evidence import Evidence

RANK, SCALE = 16, 2.0
LEARNING_RATE = 5e-4
TEMPERATURE = 0.03
QUESTIONS = 16
"""Questions of one folder whose losses make one step."""
NEAREST, OTHERS = 5, 3
"""Sentences that do not answer a question: the best of the search, and some of the rest."""
ANSWERS = 3
"""Most sentences that answer a question."""
TOKENS = 160
"""Most tokens that are read of a sentence under its title, or of a question."""
BATCH = 32
REPORTED = 20
"""Steps between two lines of the log."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A question, and the sentences that the search finds for it, as they are embedded, best first."""

    question: str
    answers: tuple[str, ...]
    others: tuple[str, ...]


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--minutes", default=18.0, help="How long to train, after the folders were indexed.")
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
    """The questions of one folder of which the search finds an answer, with what else it finds."""
    examples = []
    with open_world(path, embedder) as (pipeline, questions):
        for question in questions:
            places = evidence_places(question, pipeline)
            _, _, ranked = pipeline.passages(question["question"])
            answers = tuple(sentence.titled for sentence in ranked if _answers(sentence, places))
            others = tuple(sentence.titled for sentence in ranked if not _answers(sentence, places))
            if answers:
                examples.append(Example(question["question"], answers, others))
    return examples


def _answers(sentence: Evidence, places: Sequence[tuple[str, Span]]) -> bool:
    """Whether a sentence holds half of a quote of the evidence, or a quote half of it."""
    return any(
        characters_held(sentence, (document, (start, end))) >= min(end - start, sentence.end - sentence.start) / 2
        for document, (start, end) in places
    )


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
    """Minus the log-probability of what answers each question, against all in the step that answers it not; a mean."""
    import torch

    compared: dict[str, int] = {}
    for example in examples:
        rest = example.others[NEAREST:]
        others = [*example.others[:NEAREST], *choose.sample(rest, min(OTHERS, len(rest)))]
        for text in (*example.answers[:ANSWERS], *others):
            compared.setdefault(text, len(compared))
    asked = _embed([PROMPTS["query"] + example.question for example in examples], model, tokenizer)
    vectors = _embed([PROMPTS["document"] + text for text in compared], model, tokenizer)
    losses = []
    for scores, example in zip(asked @ vectors.T / TEMPERATURE, examples, strict=True):
        places = [compared[text] for text in example.answers if text in compared]
        wrong = torch.ones(len(compared), dtype=torch.bool)
        wrong[places] = False
        right, beaten = scores[places], torch.logsumexp(scores[wrong], 0)
        losses.append((torch.logaddexp(right, beaten) - right).mean())
    return torch.stack(losses).mean()


def _embed(texts: Sequence[str], model: Any, tokenizer: Any) -> Any:  # noqa: ANN401
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
            max_length=TOKENS,
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
