"""Follow-ups: a question that leans on earlier turns is made to stand alone; any other is left as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.lexical import tokenise
from qa.generator import Generator
from qa.prompt import standalone_prompt
from qa.question import QUESTION_WORD, Turn

_LEANING_WORDS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|same|"
    r"former|latter|both|either|neither|else|other|others|another|above|earlier|previous|afterwards|instead)\b",
    re.IGNORECASE,
)
_LEANING_START = re.compile(
    r"^(?:and|but|or|so|also|ok|okay|why|really|what about|how about|what else|who else|which one|since when|"
    r"until when|how come|sure|more|go on|tell me more)\b",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"^(?:for|in|at|to|by|from|on|of|with|under|during)\b", re.IGNORECASE)
"""`In Okinawa?`: how a short question starts that is the end of the one before."""
_ASKS = re.compile(rf"[?？]|\b{QUESTION_WORD}\b", re.IGNORECASE)
_QUESTIONS, _LINE = r"[^\n?？]+[?？]( [^\n?？]+[?？])?", r"[^\n]+"
"""What a rewriting may be: of a question one or two questions, so that the model cannot answer instead; else a line."""
_REWRITE_TOKENS = 60
_BEFORE_CHARACTERS = 600
"""What is put behind a question that could not be rewritten, at most."""
SHORT = 2
"""Content words up to which a question without a name or number is taken for an ellipsis of the one before."""


def leans_on_history(question: str) -> bool:
    """Whether the question has a word that points back, starts like a continuation, or is very short."""
    if _LEANING_START.search(question) or _LEANING_WORDS.search(question):
        return True
    named = any(character.isupper() or character.isdigit() for word in question.split()[1:] for character in word)
    return len(set(tokenise(question))) <= SHORT and (not named or _PREPOSITION.search(question) is not None)


def make_standalone(question: str, history: Sequence[Turn], generator: Generator) -> str:
    """The question as it would be asked without the conversation; itself where it leans on nothing.

    A rewriting is taken only when it is complete, every content word in it comes from the question or from the
    conversation, and every content word of the question that does not point back is still in it: the model adds
    nothing of its own and asks no other question. Otherwise the question of the turn before is put behind, as what it
    is: in front of the other, it would be the one that is answered (evals/LOG.md).

    Raises:
        GenerationError: The engine failed.
    """
    if not history or not leans_on_history(question):
        return question
    pattern = _QUESTIONS if _ASKS.search(question) else _LINE
    reply = "".join(generator.stream(standalone_prompt(question, history), max_tokens=_REWRITE_TOKENS, pattern=pattern))
    rewritten = " ".join(reply.split())
    if generator.count_tokens(reply) < _REWRITE_TOKENS and _keeps_to(rewritten, question, history):
        return rewritten
    before = next((turn.content for turn in reversed(history) if turn.role == "user"), "")
    return f"{question} (earlier question: {before[:_BEFORE_CHARACTERS].strip()})" if before.strip() else question


def _keeps_to(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    words = set(tokenise(rewritten))
    known = {*tokenise(question), *(word for turn in history for word in tokenise(turn.content))}
    own = set(tokenise(_LEANING_WORDS.sub(" ", _LEANING_START.sub(" ", question))))
    return bool(words) and own <= words <= known
