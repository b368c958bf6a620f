"""Whether a written sentence says only what one statement that it cites says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import TypeAlias

from corpus import split_sentences
from corpus.tables import rows_under_heads, with_unit
from index.lexical import tokenise
from qa.abbreviations import INITIALS, other_forms
from qa.antecedents import asks, leans_back
from qa.citations import without_marks
from qa.claims import WORDING, check_claims, find_capitalised, find_numbers
from qa.evidence import Evidence
from qa.lists import announced_by
from qa.negation import contradicts, negates
from qa.reversals import changes_office, crosses_bound, exchanges_years, miscounts, read_former, reverses, swaps
from qa.values import LEADS_TO_A_VALUE, NAMES_A_VALUE, has_digit
from qa.wording import FOOTNOTE, expand_contractions, find_dates, normalise

Part: TypeAlias = tuple[str, list[Evidence]]
"""A sentence of an answer and the evidence that it cites."""

KNOWN_WORDS = 0.9
"""Share of a sentence's content words that must stand in one cited statement; the question's words count for nothing,
since they are what a wrong sentence is made of. With this instead of .7 and the question's words, .68 of the written
sentences that are shown are right instead of .58, and no fewer answers, because the quotes stay (evals/LOG.md)."""
NEGATION = "a negation"
"""The claim of a sentence that negates where its evidence does not, or the other way round."""
SAME_WORDS = 0.8
"""Share of the content words of the longer of two sentences that makes them the same."""
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_SOURCE = r"the (?:passage|sentence|text|document)s?"
_PREAMBLE = re.compile(
    rf"^(?:(?:yes|no)[.,]\s+)?(?:(?:according to|in|based on) {_SOURCE},\s+|"
    rf"{_SOURCE} (?:also |only )?(?:states?|says?|mentions?|indicates?|notes?) that\s+)",
    re.IGNORECASE,
)
_AFTERWORD = re.compile(
    rf",? (?:according to|as (?:stated|mentioned|described|noted) (?:in|by)) {_SOURCE}(?= ?[.!]?$)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)\]]*\s*$")
_YES_OR_NO = re.compile(r"^(?:(?P<yes>yes|ja|oui|sí|sì|sim)|no|nein|non|não),\s+", re.IGNORECASE)
"""What answers the question, and no statement says: it is set aside."""


def verify(
    written: str, chosen: Sequence[Evidence], question: str, long_forms: Mapping[str, str] = INITIALS
) -> tuple[list[Part], list[list[str]]]:
    """The sentences of a draft that a statement of the evidence supports, and the claims of those that none does.

    One statement must hold all of a sentence: where two may share it, `Zhao refused. Petrov paid.` holds the words of
    `Zhao paid.`

    Args:
        written: The draft.
        chosen: The evidence that it may cite.
        question: The standalone question.
        long_forms: Abbreviations and what they stand for.

    Returns:
        Supported sentences with what each cites, abbreviations in the form that stands there, and one list of
        unsupported claims for each other sentence.
    """
    parts: list[Part] = []
    dropped: list[list[str]] = []
    stated = [(evidence, statement) for evidence in chosen for statement in statements(evidence)]
    for sentence in split_sentences(written):
        text = written[sentence.start : sentence.end]
        words, other = set(tokenise(text)), other_forms(text, long_forms)
        cells = [(evidence, statement) for evidence in chosen for statement in cells_meant(text, evidence)]
        named = [(evidence, statement, _rename(statement, other)) for evidence, statement in (*stated, *cells)]
        problems, evidence, cited, _ = min(
            ((unsupported_claims(text, same, question), held, statement, same) for held, statement, same in named),
            key=lambda found: (len(found[0]), -len(words & set(tokenise(found[3])))),
            default=(unsupported_claims(text, "", question), None, "", ""),
        )
        if problems or evidence is None:
            dropped.append(problems)
        else:
            parts.append((_in_forms_of(cited, text, other), [evidence]))
    return parts, dropped


def statements(quote: Evidence) -> list[str]:
    """The sentences of a quote, each with what it leans on in front of it: the sentence before, or a list's lead-in.

    `Rear carrier: 25 kg` is said of what `The limits of the Passo 8 are:` names. A heading that is quoted gives its
    numbers and dates to each: what it names may be another's doing.
    """
    heading = quote.section if quote.section and quote.text.startswith(f"{quote.section}\n") else ""
    body = quote.text[len(heading) :]
    spans = [(sentence.start, sentence.end) for sentence in split_sentences(body)]
    dated = " ".join([", ".join(find_numbers(heading)), *(written for written, _ in find_dates(heading))])
    found: list[str] = []
    for (start, end), announcing in zip(spans, announced_by(body, spans), strict=True):
        said = body[start:end]
        lead = dated
        if announcing:
            lead = found[announcing[-1]]
        elif found and (leans_back(said) or asks(found[-1])):
            lead = found[-1]
        found.append(f"{lead} {said}".lstrip())
    return found


def cells_meant(sentence: str, quote: Evidence) -> list[str]:
    """What the cells of quoted rows say that a sentence speaks of, each as `Ticket: year, Children: 140 euros`.

    It speaks of a value that it gives whole, with all words of the first cell of its row and of the name of its column:
    off-peak is not peak, nor a deposit a price. Cells in small letters stand with it where the sentence has their words
    (names may have changed places), and since no cell has a verb, `costs` and the like are taken from the sentence.
    """
    text = normalise(sentence)
    words = {*text.split(), *tokenise(text)}
    leading = [word for word in text.split() if _leads(word)]

    def has(part: str) -> bool:
        needed = normalise(re.sub(FOOTNOTE, " ", part)).split()
        return all(word in words or words.issuperset(tokenise(word) or " ") for word in needed if not _leads(word))

    found = []
    for names, cells in rows_under_heads(quote.text, quote.head):
        named = list(zip(names, cells, strict=True))
        label = f"{names[0]}: {cells[0]}"
        of = [f"{name}: {cell}" for name, cell in named[1:] if cell.islower() and not has_digit(cell) and has(cell)]
        for name, cell in starmap(with_unit, named[1:]):
            if cells[0] and has_digit(cell) and all(map(has, (cells[0], name, cell))):
                found.append(" ".join([label, *of, f"{name}: {cell}", *leading]))
    return found


def _leads(word: str) -> bool:
    """Whether a word says no more than the value behind it."""
    return bool(stems := tokenise(word)) and (LEADS_TO_A_VALUE | NAMES_A_VALUE).issuperset(stems)


def _in_forms_of(statement: str, text: str, other: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """A sentence with the names that the statement has in another form in that form: its words stand there."""
    for pattern, form in other:
        written = pattern.search(statement)
        said = re.compile(rf"(?<!\w){re.escape(form)}(?!\w)")
        if written and not said.search(statement):
            text = written[0].join(said.split(text))
    return text


def _rename(statement: str, forms: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """The statement with each name in the form that the sentence has."""
    for other, form in forms:
        statement = form.join(other.split(statement))
    return statement


def unsupported_claims(sentence: str, statement: str, question: str) -> list[str]:
    """What the sentence says and the statement does not; empty where it is supported.

    Every number, date, name and other word with a capital letter must stand in the statement itself, those of the
    question too, and numbers and names in the same place; neither side negates what the other affirms, nor is a yes
    followed by a negation that the question lacks; and nearly all content words stand there.

    Args:
        sentence: One sentence of an answer.
        statement: What the documents say.
        question: The standalone question.

    Returns:
        The claims in words, for a note.
    """
    answered = _YES_OR_NO.match(sentence)
    said = read_former(expand_contractions(sentence[answered.end() :] if answered else sentence))
    statement = read_former(expand_contractions(statement))
    found = [claim for claims in check_claims(said, statement).values() for claim in claims.unsupported]
    if contradicts(said, statement) or (answered and answered["yes"] and negates(said) and not negates(question)):
        found.append(NEGATION)
    words, held = tokenise(normalise(said)), set(tokenise(normalise(statement)))
    found = found or [word for word in find_capitalised(said) if not held.issuperset(tokenise(normalise(word)))]
    known = sum(word in held for word in words) >= KNOWN_WORDS * len(words) > 0
    exact = all(word in held for word in words if word[0].isdigit() and word != "1")
    wrong = (miscounts, swaps, reverses, crosses_bound, changes_office, exchanges_years)
    if not found and (not (known and exact) or any(differs(said, statement) for differs in wrong)):
        found.append(WORDING)
    return found


def repeats(sentence: str, quotes: Sequence[Evidence]) -> bool:
    """Whether a written sentence is one of the quotes in nearly the same words, so that it need not be shown."""
    said = set(tokenise(sentence))
    return any(
        len(said & held) >= SAME_WORDS * max(len(said), len(held))
        for held in (set(tokenise(quote.text)) for quote in quotes)
    )


def tidy(written: str, chosen: Sequence[Evidence]) -> str:
    """The draft without marks or `The passage states that`, initials spaced as in the sources (`U.S.`, not `U. S.`)."""
    text = _AFTERWORD.sub("", _PREAMBLE.sub("", without_marks(written)))
    for initials in dict.fromkeys(_INITIALS.findall(" ".join(f"{e.title} {e.text}" for e in chosen))):
        spaced = r"\.\s+".join(re.escape(letter) for letter in initials.rstrip(".").split("."))
        text = re.sub(rf"\b{spaced}\.", initials, text)
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.islower() else text  # iPhone, pH and mRNA are written so


def finished_sentences(written: str) -> str:
    """A draft that was cut at its limit, without the sentence that the cut left unfinished; empty without another."""
    sentences = split_sentences(written)
    if sentences and not _SENTENCE_END.search(written):
        sentences.pop()
    return written[: sentences[-1].end] if sentences else ""
