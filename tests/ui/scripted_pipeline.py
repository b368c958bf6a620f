"""A pipeline that answers from scripts, over a few real documents: for the page and the command line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from corpus.document import Chunk, Document
from corpus.loading import load_document
from corpus.sentences import document_sentences
from qa.answer import (
    Answer,
    AnswerSentence,
    Citation,
    Draft,
    Event,
    EvidenceFound,
    IndexInfo,
    Passage,
    Timings,
)
from qa.generator import GenerationError

DOCUMENTS = Path(__file__).parents[2] / "corpus" / "documents"
HOSTILE = (
    '<script>window.hacked = 1</script> <img src=x onerror="window.hacked = 2"> [click](javascript:alert(1)) '
    "<svg onload='window.hacked = 3'> ${window.hacked = 4} {{constructor.constructor('window.hacked = 5')()}} "
    "\u202e dna"
)


@dataclass
class FakePipeline:
    """Answers from scripts: the script's name is a word of the question."""

    documents: dict[str, Document]
    seconds_a_word: float = 0.0
    asked: list[tuple[str, tuple[Mapping[str, str], ...]]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when a stream was closed before its answer."""
    fingerprint: str = "scripted"
    on_stop: Callable[[], object] = lambda: None
    working: int = 0
    most_at_once: int = 0
    generator: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="scripted-1b", engine="scripted"))

    @property
    def index(self) -> SimpleNamespace:
        chunks = [
            Chunk(path, path, 0, len(d.text), sentences=tuple((s.start, s.end) for s in document_sentences(d)))
            for path, d in self.documents.items()
        ]
        return SimpleNamespace(
            generation="g0001",
            corpus_hash="abc",
            documents=self.documents,
            chunks=chunks,
            manifest=SimpleNamespace(
                documents=[SimpleNamespace(path=p, chunks=3, content_hash="h") for p in self.documents]
            ),
        )

    def quote(self, path: str, words: str, number: int) -> Citation:
        document = self.documents[path]
        start = document.text.index(words)
        return Citation(
            number, path, document.title, document.published, document.url, start, start + len(words), words
        )

    def passages(self, citations: Sequence[Citation]) -> tuple[Passage, ...]:
        found = []
        for path, document in self.documents.items():
            spans = [(c.start, c.end) for c in citations if c.document == path]
            start = max(0, spans[0][0] - 100) if spans else 0
            end = min(len(document.text), spans[-1][1] + 100 if spans else 400)
            found.append(
                Passage(
                    path,
                    start,
                    end,
                    0.5 if spans else 0.1,
                    document.text[start:end],
                    document.title,
                    document.published,
                    tuple(spans),
                )
            )
        return tuple(sorted(found, key=lambda passage: -passage.score))

    def script(self, question: str) -> Answer:
        q = question.lower()
        austin = (
            "“We welcome an historic decision to modernize our alliance command "
            "and control to better meet the challenges of today and tomorrow.”"
        )
        lauded = self.quote(
            "articles/japan-us-two-plus-two.md",
            f"U.S. Secretary of Defense Lloyd Austin lauded the agreement as a historic step, stating, {austin}",
            1,
        )
        size = self.quote(
            "briefs/us-forces-japan.md",
            "USFJ's own description gives about 54,000 military personnel "
            "from the Army, Navy, Air Force and Marine Corps.",
            2,
        )
        other = self.quote(
            "briefs/us-forces-japan.md",
            "Other sources give figures between 50,000 and 55,000 troops, depending on how they count.",
            3,
        )
        base = Answer(
            question=question,
            standalone_question=question,
            abstained=False,
            reason=None,
            text="",
            sentences=(),
            citations=(),
            passages=(),
            confidence=0.93,
            notes=(),
            model="scripted-1b",
            engine="scripted",
            index=IndexInfo("g0001", "abc"),
            timings=Timings(120, 900, 2400, 512, 60),
        )
        if "emperor" in q:
            return replace(
                base,
                abstained=True,
                reason="not_in_documents",
                text="The documents do not name the current emperor of Japan.",
                confidence=0.12,
            )
        if "troops" in q:
            sentences = (
                AnswerSentence("USFJ itself gives about 54,000 military personnel.", (1,), True),
                AnswerSentence("Other sources count between 50,000 and 55,000.", (2,), True),
                AnswerSentence("About 60,000 are planned.", (), False),
            )
            return self._with(
                base,
                sentences,
                (replace(size, number=1), replace(other, number=2)),
                ("Sources disagree on the number of troops.", "The newest source is from October 2024."),
                0.74,
            )
        if "hostile" in q:
            evil = self.documents["evil.md"]
            citation = Citation(1, "evil.md", evil.title, "2024-01-01", "javascript:alert(1)", 0, len(HOSTILE), HOSTILE)
            return self._with(base, (AnswerSentence(HOSTILE, (1,), True),), (citation,), (HOSTILE,), 0.5)
        if "日本語" in q or "اليابان" in q:
            sentences = (
                AnswerSentence("在日米軍には約54,000人の軍人がいる。", (2,), True),
                AnswerSentence("يبلغ عدد أفراد القوات الأمريكية في اليابان نحو 54,000 فرد.", (2,), True),
            )
            return self._with(base, sentences, (size,), (), 0.9)
        if "treaty of 1990" in q:
            sentences = (AnswerSentence("The documents say that USFJ was established on July 1, 1957.", (1,), True),)
            cited = self.quote(
                "briefs/us-forces-japan.md",
                "USFJ was established on July 1, 1957, at Fuchu Air "
                "Station in Tokyo, when the former Far East Command was dissolved.",
                1,
            )
            return replace(self._with(base, sentences, (cited,), (), 0.4), abstained=True, reason="false_premise")
        sentences = (
            AnswerSentence(
                "Lloyd Austin, the U.S. Secretary of Defense, lauded the agreement as a historic step.", (1,), True
            ),
            AnswerSentence(f"He said: {austin}", (1,), True),
            AnswerSentence("U.S. Forces Japan has about 54,000 military personnel.", (2,), True),
        )
        standalone = "Who lauded the agreement of July 2024 as a historic step?" if q.startswith("and ") else question
        return replace(self._with(base, sentences, (lauded, size), (), 0.93), standalone_question=standalone)

    def _with(self, base, sentences, citations, notes, confidence):  # noqa: ANN001, ANN202
        renumbered = {c.number for c in citations}
        kept = tuple(
            replace(
                s,
                citations=tuple(n for n in s.citations if n in renumbered) or tuple(sorted(renumbered))[:1]
                if s.supported
                else (),
            )
            for s in sentences
        )
        text = " ".join(f"{s.text} " + "".join(f"[{n}]" for n in s.citations) for s in kept)
        return replace(base, sentences=kept, citations=citations, notes=notes, confidence=confidence, text=text)

    def search(self, query: str, k: int) -> list[Passage]:
        return list(self.passages(self.script(query).citations))[:k]

    def ask(self, question: str, history: Sequence[Mapping[str, str]] = ()) -> Answer:
        return next(event for event in self.stream(question, history) if isinstance(event, Answer))

    def stream(
        self, question: str, history: Sequence[Mapping[str, str]] = (), stop: threading.Event | None = None
    ) -> Iterator[Event]:
        from qa.question import QuestionError

        self.asked.append((question, tuple(history)))
        if not question.strip():
            raise QuestionError("The question is empty. Type one.")
        answer = self.script(question)
        passages = self.passages(answer.citations)
        yield EvidenceFound(answer.standalone_question, passages, 42.0)
        self.working += 1
        self.most_at_once = max(self.most_at_once, self.working)
        try:
            words = answer.text.split(" ")
            pause = 0.05 if "slowly" in question else self.seconds_a_word
            if "endless" in question:
                words = words * 500
            if "broken" in question:
                raise GenerationError("llama.cpp stopped: out of memory. Run: dossier models verify")
            for count in range(1, len(words) + 1):
                if pause:
                    time.sleep(pause)
                yield Draft(" ".join(words[:count]))
            yield replace(answer, passages=passages)
        except GeneratorExit:
            self.stopped.set()
            self.on_stop()
            raise
        finally:
            self.working -= 1


REAL = (
    "articles/japan-us-two-plus-two.md",
    "briefs/us-forces-japan.md",
    "briefs/two-plus-two-july-2024.md",
    "briefs/japan-joint-operations-command.md",
    "briefs/national-defense-strategy-buildup-program-2022.md",
    "briefs/glossary-us-japan-alliance.md",
)


def scripted_pipeline() -> FakePipeline:
    """Six real documents and a hostile one."""
    evil = Document("evil.md", HOSTILE + "\nMore text.", "1" * 64, f"Evil {HOSTILE}", url="javascript:alert(1)")
    return FakePipeline({**{path: load_document(DOCUMENTS / path, DOCUMENTS) for path in REAL}, "evil.md": evil})
