"""Whether a sentence negates what a statement affirms, or affirms what it negates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.lexical import tokenise
from qa.question import QUESTION_WORD
from qa.wording import expand_contractions, normalise

_NEGATORS = (
    *("not", "no", "never", "none", "nor", "neither", "nobody", "nothing", "nowhere", "hardly", "without"),
    *("nicht", "kein(?:e[mnrs]?)?", "nie", "niemals", "niemand", "nichts", "weder", "ohne"),  # German
    *("pas", "jamais", "aucune?", "rien"),  # French; "ne ... que" and "personne" negate nothing by themselves
    *("nunca", "jamás", "ning[uú]n[ao]?", "nadie", "nada", "tampoco"),  # Spanish
    *("non(?![-‐‑])", "nessun[ao]?", "niente", "nulla", "senza"),  # Italian
    *("não", "nenhuma?", "ninguém", "nem"),  # Portuguese
)
"""Words that negate, but for those that are another word of English (`sin`, `ni`)."""
_NEGATING_STEMS = ("refus", "den(?=y|ied|ies)", "reject", "fail", "exclud", "lack(?=s|ed|ing|\\b)")
"""Verbs that negate what follows; where both texts have one, it is a word like any other."""
_NEGATOR = re.compile(
    rf"\b(?:(?:{'|'.join(_NEGATORS)})\b(?!\s+(?:only|just|merely|least)\b)|(?P<stem>{'|'.join(_NEGATING_STEMS)})\w*)",
    re.IGNORECASE,
)
_DENYING = frozenset(
    tokenise(
        "against ban banned bar barred block blocked ceased contrary except exempt forbidden free halted illegal "
        "instead only opposed outlawed prevented prohibited rather ruled stopped unless unlawful"
    )
)
"""Stems of what else may say that something is not so: `barred since 1987` answers why ships cannot call."""
_ASKING = re.compile(rf"\b{QUESTION_WORD}\b", re.IGNORECASE)
_NUMBER_SIGN = re.compile(r"\bno\.\s?(?=\d)", re.IGNORECASE)
_BETWEEN_CLAUSES = re.compile(
    r"[,;:]\s+|[.!?]\s+(?=[^\W\d_a-z])|[()]|\s[–—-]\s|\b(?:but|although|though|while|whereas|because)\b"
)
_PASSED_OVER = frozenset(tokenise("yet ever even still also any"))
"""Words that may stand between a negator and what it negates, besides adverbs in -ly."""
_ADVERB = re.compile(r"\b\w+ly\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Clause:
    words: frozenset[str]
    """Its content words; where it ends with a negator (`but Petrov did not`), those of the clause before as well."""
    denied: frozenset[str]
    """What its negators stand before: the first content word, or all words where a negator opens the clause."""
    scope: frozenset[str]
    """All words after a negator."""

    @property
    def affirmed(self) -> frozenset[str]:
        return self.words - self.scope


def negates(text: str) -> bool:
    """Whether the first clause of a text negates anything."""
    return any(clause.scope for clause in _clauses(text, set())[:1])


def denied_by_none(question: str, text: str) -> bool:
    """Whether a question asks for what is not so (`Who did not sign?`), and nothing in a text says that of anything.

    Such words count for nothing where the question has them: that ships are barred answers not which are not barred.
    """
    clauses = _BETWEEN_CLAUSES.split(expand_contractions(question, typed=True))
    if not any(_ASKING.search(clause) and _NEGATOR.search(clause) for clause in clauses):
        return False
    words = set(tokenise(text)) - set(tokenise(question))
    return not _NEGATOR.search(_NUMBER_SIGN.sub("", expand_contractions(text))) and _DENYING.isdisjoint(words)


def contradicts(sentence: str, statement: str) -> bool:
    """Whether one of the two negates what the other affirms.

    A word that the statement negates may be affirmed where a clause of the statement that affirms it is as near; what
    the sentence negates must be negated in the statement.
    """
    shared = _negating_stems(sentence) & _negating_stems(statement)
    said, stated = _clauses(sentence, shared), _clauses(statement, shared)
    negated = frozenset[str]().union(*(clause.scope for clause in stated))
    return any(
        (clause.scope and not clause.denied & negated) or any(_denies(word, clause, stated) for word in clause.affirmed)
        for clause in said
    )


def _denies(word: str, said: _Clause, stated: list[_Clause]) -> bool:
    """Whether the clause nearest to what is said, of those that hold the word, denies it."""
    opposed = [clause for clause in stated if word in clause.denied and not clause.denied & said.denied]
    denying = [len(said.words & clause.words) for clause in opposed]
    affirming = [len(said.words & clause.words) for clause in stated if word in clause.affirmed]
    return max(denying, default=0) > max(affirming, default=0)


def _negating_stems(text: str) -> set[str]:
    return {match["stem"].lower() for match in _NEGATOR.finditer(text) if match["stem"]}


def _clauses(text: str, ignored: set[str]) -> list[_Clause]:
    """The clauses of a text; negating verbs with an ignored stem negate nothing."""
    clauses: list[_Clause] = []
    for written in _BETWEEN_CLAUSES.split(_NUMBER_SIGN.sub("", expand_contractions(text))):
        words = set(tokenise(normalise(written)))
        denied: set[str] = set()
        scope: set[str] = set()
        negators = [found for found in _NEGATOR.finditer(written) if (found["stem"] or "").lower() not in ignored]
        first, trails, end = "", False, len(written)
        for negator in reversed(negators):
            after = tokenise(normalise(written[negator.end() : end]))
            scope.update(after)
            first = _first_denied(written[negator.end() : end]) or first or next(iter(after), "")
            trails = trails or not first
            denied.update([first] if first else [])
            itself = tokenise(negator[0])
            if negator is not negators[0]:
                scope.update(itself)
            first, end = next(iter(itself), first), negator.start()
        if negators and not negators[0]["stem"] and not written[:end].strip():
            denied |= scope
        if trails:
            words.update(clauses[-1].words if clauses else ())
            scope |= words
            denied |= words
        if words:
            clauses.append(_Clause(frozenset(words), frozenset(denied), frozenset(scope)))
    return clauses


def _first_denied(written: str) -> str:
    """The first word after a negator that is no adverb; empty where there is none."""
    without_adverbs = tokenise(normalise(_ADVERB.sub("", written)))
    return next((word for word in without_adverbs if word not in _PASSED_OVER), "")
