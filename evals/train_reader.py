"""Trains the adapter of the answering model: `python -m evals.train_reader OUT.npz`.

The examples are invented folders with questions (`evals/worlds`) and, in turn with them, a question set that people
wrote, if one is named; their passages are retrieved as the pipeline does it.
For each question the model learns to say yes or no to `qa.prompt.JUDGE` (LoRA: Hu et al., 2021), and where the passage
holds the answer to write it as the published model would: it is to judge better and to write as before. Needs 12 GB of
memory; an hour on two cores sees a tenth of the questions, and each with up to five others about the same passage.
"""

from __future__ import annotations

import logging
import math
import random
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import click
import numpy as np

from corpus.document import Span
from evals.invented import WORLDS, characters_held, evidence_places, open_world
from evals.questions import Question, load_questions
from index import Embedder, SentenceTransformerEmbedder
from index.adapter import as_openvino_reads
from index.conversion import read_gguf
from index.embedder import cpu_has_bfloat16
from index.weights import ANSWERING_MODEL, ensure_file
from qa.asking import sort_of_value
from qa.engines.choosing import has_eight_bit
from qa.evidence import Evidence
from qa.generator import Message
from qa.pipeline import Pipeline, open_pipeline
from qa.prompt import NO, YES, verdict_prompt, writing_prompt
from qa.settings import Settings

LAYERS = range(10, 28)
"""Where the adapter is: what a passage states is told apart in the middle and late layers (evals/LOG.md)."""
TENSORS = {"attn_q": "q_proj", "attn_k": "k_proj", "attn_v": "v_proj", "attn_output": "o_proj"}
"""Projections that it is added to, by their names in GGUF and in transformers."""
ALL_TENSORS = TENSORS | {"ffn_gate": "gate_proj", "ffn_up": "up_proj", "ffn_down": "down_proj"}
RANK, SCALE = 8, 2.0
LEARNING_RATE = 5e-4
BATCH = 4
"""Questions whose gradients make one step."""
REPORTED = 40
"""Questions between two lines of the log."""
HELD, NOT_HELD = 0.5, 0.2
"""Shares of each evidence quote from which on a passage holds it, and below which it holds nothing of it."""
OTHER_WEIGHT, SINGLE_WEIGHT, WRITING_WEIGHT, MASS_WEIGHT = 0.7, 0.5, 4.0, 0.1
"""Weights of the losses: of the other questions, of one sentence alone, of writing, and of saying yes or no."""
OTHERS = {True: 2, False: 3}
"""How many other questions a passage is judged for, of those that it answers and of those that it does not: they cost
little, since the passage stands once. The second are such as a part of it was retrieved for."""
SINGLE_SHARE = 0.3
"""Share of the questions for which one sentence alone is judged as well, as quotes are."""
WRITING_SHARE = 0.25
"""Share of the answers whose words are held to the published model's: it costs as much as all the verdicts together."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A question and what was retrieved for it."""

    question: str
    answer: str
    """Empty where the documents hold none."""
    judged: tuple[Evidence, ...]
    read: tuple[Evidence, ...]
    single: Evidence
    held: bool | None
    """Whether `judged` holds the answer; None where it holds a part of it. So for the others."""
    read_held: bool | None
    single_held: bool | None
    others: tuple[tuple[str, bool], ...]
    """Other questions of the folder, and whether `judged` holds the answer to them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a folder, where its evidence stands, and the passages that were retrieved for it."""

    question: Mapping[str, Any]
    places: Sequence[tuple[str, Span]]
    judged: tuple[Evidence, ...]
    read: tuple[Evidence, ...]
    ranked: tuple[Evidence, ...]


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--minutes", default=54.0, help="How long to train, after the folders were indexed.")
@click.option("--worlds", default=WORLDS, type=click.Path(exists=True, path_type=Path))
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="An adapter to go on from.")
@click.option("--seed", default=0, help="The order of the questions.")
@click.option(
    "--folders",
    type=click.IntRange(min=1),
    default=sys.maxsize,
    help="How many of the folders are drawn; one takes 12 s to index without AVX-512.",
)
@click.option("--questions", type=click.Path(exists=True, path_type=Path), help="A question set: every second example.")
@click.option("--corpus", type=click.Path(exists=True, path_type=Path), help="The documents of that set.")
@click.option("--limit", default=None, type=int, help="Read the first questions of the set only.")
@click.option("--leave-out", multiple=True, help="A document of the set; what is judged from it is left out.")
def main(
    out: Path,
    minutes: float,
    worlds: Path,
    start: Path | None,
    seed: int,
    folders: int,
    questions: Path | None,
    corpus: Path | None,
    limit: int | None,
    leave_out: tuple[str, ...],
) -> None:
    """Train on the folders in WORLDS and on QUESTIONS, and write the adapter to OUT."""
    if (questions is None) != (corpus is None):
        raise click.UsageError("--questions and --corpus belong together: name both.")
    if corpus and corpus.resolve() == Settings().corpus.resolve():
        raise click.UsageError("The shipped documents are what is evaluated: train on another set.")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    choose = random.Random(seed)  # noqa: S311 - an order, no secret
    embedder = SentenceTransformerEmbedder.default()
    people: list[Example] = []
    if questions and corpus:
        pipeline = open_pipeline(Settings.load({"corpus": corpus}), load_model=False, embedder=embedder)
        texts = pipeline.index.texts()
        if unknown := set(leave_out) - set(texts):
            raise click.UsageError(f"--leave-out {min(unknown)}: {corpus} has no such document.")
        people = read_set(load_questions(questions, texts)[:limit], pipeline, leave_out, choose)
        choose.shuffle(people)
    paths = sorted(worlds.glob("*.json"))
    drawn = choose.sample(paths, folders) if folders < len(paths) else paths
    examples = [example for path in drawn for example in read_world(path, choose, embedder)]
    choose.shuffle(examples)
    if people:
        examples = [*chain.from_iterable(zip(people, examples, strict=False))]
    _log.info("%d questions", len(examples))
    train(examples, minutes, choose, out, start)


def read_world(path: Path, choose: random.Random, embedder: Embedder) -> list[Example]:
    """The questions of one folder, with passages as the pipeline retrieves them."""
    with open_world(path, embedder) as (pipeline, questions):
        return _read(questions, pipeline, choose)


def read_set(
    questions: Sequence[Question], pipeline: Pipeline, left_out: Collection[str], choose: random.Random
) -> list[Example]:
    """The questions of a set, with passages as the pipeline retrieves them, none of them from the documents `left_out`.

    A set has no answers in sentences, so no words are held to the published model's.
    """
    return _read([asdict(question) | {"answer": ""} for question in questions], pipeline, choose, left_out)


def _read(
    questions: Sequence[Mapping[str, Any]], pipeline: Pipeline, choose: random.Random, left_out: Collection[str] = ()
) -> list[Example]:
    asked = []
    for question in questions:
        judged, read, ranked = map(tuple, pipeline.passages(question["question"]))
        if judged and not any(sentence.document in left_out for sentence in judged):
            asked.append(Asked(question, evidence_places(question, pipeline), judged, read, ranked))
    return [_example(place, asked, choose) for place in range(len(asked))]


def _example(place: int, asked: Sequence[Asked], choose: random.Random) -> Example:
    it = asked[place]
    single = choose.choice(it.ranked[:4])
    sentences = {(evidence.document, evidence.start) for evidence in it.judged}
    others = [
        (other.question["question"], held)
        for other in (*asked[:place], *asked[place + 1 :])
        if (held := _holds(it.judged, other.places)) is not None
        and (held or any((evidence.document, evidence.start) in sentences for evidence in other.judged))
    ]
    return Example(
        question=it.question["question"],
        answer=it.question["answer"] if it.question["answerable"] else "",
        judged=it.judged,
        read=it.read,
        single=single,
        held=_holds(it.judged, it.places),
        read_held=_holds(it.read, it.places),
        single_held=_holds([single], it.places),
        others=tuple(others),
    )


def _holds(passage: Sequence[Evidence], places: Sequence[tuple[str, Span]]) -> bool | None:
    """Whether a passage holds all of the evidence; None where it holds a part of it."""
    shares = [
        sum(characters_held(sentence, (document, (start, end))) for sentence in passage) / (end - start)
        for document, (start, end) in places
    ]
    if shares and min(shares) >= HELD:
        return True
    return False if max(shares, default=0.0) < NOT_HELD else None


def balance_of(examples: Sequence[Example]) -> dict[tuple[bool, bool], float]:
    """The weight of a verdict by whether a quantity is asked for and whether the passage holds the answer.

    With them yes is as often the truth for quantities as for all else. Without, the model learnt to doubt a question
    for a quantity whatever it read: in the folders these are the unanswerable ones more often (evals/LOG.md).
    """
    drawn = {(quantity, held): 0.0 for quantity in (False, True) for held in (False, True)}
    for example in examples:
        if example.held is not None:
            drawn[_is_quantity(example.question), example.held] += 1
            if example.single_held is not None:
                drawn[_is_quantity(example.question), example.single_held] += SINGLE_WEIGHT * SINGLE_SHARE
            for held, most in OTHERS.items():
                fitting = [question for question, other in example.others if other == held]
                for question in fitting:
                    drawn[_is_quantity(question), held] += OTHER_WEIGHT * min(1, most / len(fitting))
    if not all(drawn.values()):  # nothing to weigh against
        return dict.fromkeys(drawn, 1.0)
    both = {quantity: drawn[quantity, False] + drawn[quantity, True] for quantity in (False, True)}
    return {
        (quantity, held): (drawn[False, held] + drawn[True, held]) / sum(both.values()) * both[quantity] / weight
        for (quantity, held), weight in drawn.items()
    }


def _is_quantity(question: str) -> bool:
    return sort_of_value(question) == "quantity"


@dataclass(slots=True)
class Adapter:
    """What is trained: for each tensor, by its name in GGUF, two halves whose product is added to it."""

    halves: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    on: bool = True
    """Whether the model reads with it."""


def train(
    examples: Sequence[Example], minutes: float, choose: random.Random, out: Path, start: Path | None = None
) -> None:
    """Write the adapter as `index.adapter` reads it, at the end and with each line of the log."""
    import torch

    torch.manual_seed(0)
    tokenizer, model = _load_model()
    adapter = _add_adapter(model, start)
    weights = [weight for pair in adapter.halves.values() for weight in pair]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.0, betas=(0.9, 0.98))
    balance = balance_of(examples)
    begun, seen, losses = time.perf_counter(), 0, list[tuple[float, float]]()
    for example in examples:
        done = (time.perf_counter() - begun) / 60 / minutes
        if done >= 1:
            break
        warm = min(1.0, (seen // BATCH + 1) / 15)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warm * max(0.03, 0.5 * (1 + math.cos(math.pi * done)))
        if example.held is None:
            continue
        judging, writing = _losses(example, tokenizer, model, adapter, balance, choose)
        ((judging + WRITING_WEIGHT * writing) / BATCH).backward()
        seen += 1
        losses.append((judging.item(), writing.item()))
        if seen % BATCH == 0:
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        if seen % REPORTED == 0:
            judged = np.mean([judging for judging, _ in losses[-REPORTED:]])
            written = np.mean([writing for _, writing in losses[-REPORTED:] if writing] or [0.0])
            minute = (time.perf_counter() - begun) / 60
            _log.info("%d questions, %.1f min, judging %.3f, writing %.3f", seen, minute, judged, written)
            _write(adapter, out)
    _write(adapter, out)


def _write(adapter: Adapter, out: Path) -> None:
    halves = {
        f"{name}.{half}": weight.detach().numpy().astype(np.float16)
        for name, (a, b) in adapter.halves.items()
        for half, weight in (("a", a), ("b", b * SCALE))
    }
    written = out.with_name(f"{out.name}.writing.npz")  # a run that is killed leaves the one before whole
    np.savez(written, **halves)
    written.replace(out)


def _load_model() -> tuple[Any, Any]:
    """Tokenizer and model with the weights as OpenVINO reads them, none of them trained.

    In bfloat16, or in whole numbers where the processor multiplies only those fast, as the engine there does.
    """
    import gguf
    import torch

    path = ensure_file(ANSWERING_MODEL)
    tokenizer, model = read_gguf(path)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for number, layer in enumerate(model.model.layers):
        for name, projection in ALL_TENSORS.items():
            tensor = tensors[f"blk.{number}.{name}.weight"]
            if tensor.tensor_type == gguf.GGMLQuantizationType.Q4_K:  # all others OpenVINO reads as they are
                module = getattr(layer.self_attn if name in TENSORS else layer.mlp, projection)
                module.weight.data.copy_(torch.from_numpy(as_openvino_reads(tensor)).reshape(module.weight.shape))
    if has_eight_bit() and not cpu_has_bfloat16():
        _to_eight_bit(model)
    return tokenizer, model.requires_grad_(False).eval()


def _to_eight_bit(model: Any) -> None:  # noqa: ANN401 - transformers' models have no types
    """Put whole-number matrices into the layers of a model, which computes in single precision around them."""
    import torch

    from index.eight_bit import DifferentiableLinear, with_kernels

    linear = [name for name, module in model.model.named_modules() if isinstance(module, torch.nn.Linear)]
    with with_kernels():
        for name in linear:
            module = model.model.get_submodule(name)
            model.model.set_submodule(name, DifferentiableLinear(module.weight, module.bias))
            module.weight = None
    model.float()


def _add_adapter(model: Any, start: Path | None) -> Adapter:  # noqa: ANN401 - transformers' models have no types
    """An adapter in its place, which changes nothing yet or is the one that was trained before."""
    import torch

    stored = np.load(start) if start else {}
    adapter = Adapter()
    for number in LAYERS:
        for name, projection in TENSORS.items():
            module = getattr(model.model.layers[number].self_attn, projection)
            tensor = f"blk.{number}.{name}.weight"
            if start:
                a, b = (torch.from_numpy(stored[f"{tensor}.{half}"].astype(np.float32)) for half in "ab")
                b /= SCALE
            else:
                a = torch.randn(RANK, module.in_features) / math.sqrt(module.in_features)
                b = torch.zeros(module.out_features, RANK)
            pair = torch.nn.Parameter(a), torch.nn.Parameter(b)
            adapter.halves[tensor] = pair
            module.register_forward_hook(
                lambda _, inputs, output, a=pair[0], b=pair[1]: (
                    output + SCALE * (inputs[0] @ a.to(output.dtype).T @ b.to(output.dtype).T) if adapter.on else output
                )
            )
    return adapter


def _losses(
    example: Example,
    tokenizer: Any,  # noqa: ANN401
    model: Any,  # noqa: ANN401
    adapter: Adapter,
    balance: Mapping[tuple[bool, bool], float],
    choose: random.Random,
) -> tuple[Any, Any]:
    """What the model says of one passage: its verdicts against what is true of it, its words against the published."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, kl_div

    judging = [(example.question, example.judged, bool(example.held), 1.0)]
    for held, most in OTHERS.items():
        fitting = [question for question, other in example.others if other == held]
        drawn = choose.sample(fitting, min(most, len(fitting)))
        judging += [(question, example.judged, held, OTHER_WEIGHT) for question in drawn]
    if example.single_held is not None and choose.random() < SINGLE_SHARE:
        judging.append((example.question, (example.single,), example.single_held, SINGLE_WEIGHT))
    sequences = [_tokens(verdict_prompt(question, passage), tokenizer) for question, passage, _, _ in judging]
    answer: list[int] = []
    if example.answer and example.read_held and choose.random() < WRITING_SHARE:
        answer = tokenizer(f"{example.answer}<|im_end|>", add_special_tokens=False)["input_ids"]
        sequences.append(_tokens(writing_prompt(example.question, example.read), tokenizer) + answer)
    hidden, places = _hidden(sequences, model)
    said = model.lm_head(hidden[[places[row][-1] for row in range(len(judging))]]).float().log_softmax(-1)
    yes, no = (
        said[:, [tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in words]].logsumexp(-1)
        for words in (YES, NO)
    )
    weights = torch.tensor([weight * balance[_is_quantity(asked), held] for asked, _, held, weight in judging])
    truth = torch.tensor([float(held) for _, _, held, _ in judging])
    verdicts = (weights * binary_cross_entropy_with_logits(yes - no, truth, reduction="none")).sum()
    verdicts = verdicts - MASS_WEIGHT * (weights * torch.logaddexp(yes, no)).sum()
    if not answer:
        return verdicts, torch.zeros(())
    written = model.lm_head(hidden[places[-1][-len(answer) - 1 : -1]]).float().log_softmax(-1)
    adapter.on = False
    with torch.no_grad():
        before, path = _hidden(sequences[-1:], model)
        published = model.lm_head(before[path[0][-len(answer) - 1 : -1]]).float().log_softmax(-1)
    adapter.on = True
    return verdicts, kl_div(written, published, log_target=True, reduction="batchmean")


def _hidden(sequences: Sequence[Sequence[int]], model: Any) -> tuple[Any, list[list[int]]]:  # noqa: ANN401
    """The last hidden states of sequences that are read as one, (n, width), and where the tokens of each stand."""
    import torch

    tokens, depths, sees, places = pack(sequences)
    mask = torch.zeros(sees.shape, dtype=model.dtype).masked_fill(~torch.from_numpy(sees), -1e30)[None, None]
    ids, positions = (torch.from_numpy(each)[None] for each in (tokens, depths))
    read = model.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)
    return read.last_hidden_state[0], places


def _tokens(messages: Sequence[Message], tokenizer: Any) -> list[int]:  # noqa: ANN401
    chat = [{"role": message.role, "content": message.content} for message in messages]
    text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def pack(sequences: Sequence[Sequence[int]]) -> tuple[Any, Any, Any, list[list[int]]]:
    """Sequences as one, in which what they begin with alike stands once.

    Returns:
        The tokens, (n,); the place of each in its sequence, (n,); which tokens each may see, (n, n); and for each
        sequence where its tokens stand.
    """
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    known: dict[tuple[int, int], int] = {}
    places: list[list[int]] = []
    for sequence in sequences:
        at, path = -1, list[int]()
        for token in sequence:
            if (at, token) not in known:
                known[at, token] = len(tokens)
                tokens.append(token)
                parents.append(at)
                depths.append(len(path))
            at = known[at, token]
            path.append(at)
        places.append(path)
    sees = np.eye(len(tokens), dtype=bool)
    for place, parent in enumerate(parents):
        if parent >= 0:
            sees[place] |= sees[parent]
    return np.array(tokens), np.array(depths), sees, places


if __name__ == "__main__":
    main()
