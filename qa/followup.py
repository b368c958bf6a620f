"""Follow-ups: a question that leans on earlier turns is made to stand alone; any other is left as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.lexical import tokenise
from qa.generator import Generator
from qa.prompt import standalone_prompt
from qa.question import BEHIND, QUESTION_WORD, Turn
from qa.wording import MONTHS, WEEKDAYS, expand_contractions

_LEANING_WORDS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|same|"
    r"former|latter|both|either|neither|else|other|others|another|above|earlier|previous|afterwards|instead)\b",
    re.IGNORECASE,
)
_LEANING_START = re.compile(
    r"^(?:and|but|or|so|also|ok|okay|why|really|what about|how about|what else|who else|which one|since when|"
    r"until when|how come|sure|more|go on|tell me more|"
    r"\W*(?:y|pero|entonces|también|por qué|qué hay de|desde cuándo|"
    r"und|aber|oder|auch|warum|wieso|was ist mit|seit wann|bis wann))\b|"
    r"^(?:では|じゃあ|それでは|でも|なぜ|どうして|もっと)",
    re.IGNORECASE,
)
_LEANING_ABROAD = re.compile(
    r"\b(?:él|ella|ellos|ellas|eso|esto|es[eao]s?|aquell[ao]s?|su|sus|suy[ao]s?|allí|ahí|entonces|lo(?! que| más)|"
    r"ihn|ihm|ihnen|(?:hat|ist|war|wird|kann|soll|muss|darf)\s+er|ihre[rsmn]?|seine[rsmn]?|diese[rsmn]?|"
    r"jene[rsmn]?|dort|damals|dann|davon|dazu|dafür|darüber|darin|deren|dessen)\b|そ(?:れ(?!ぞれ)|の(?!他)|こ|ち)|こ(?:れ(?!まで|から)|の|こ)|彼|あれ|あの|同じ|(?:他|ほか)[のに]"
)
"""Words that point back in Spanish, German (in small letters: `Ihnen` is the reader) and Japanese."""
_AUXILIARY = r"(?:is|are|was|were|has|have|had|do|does|did|can|could|may|might|must|shall|should|will|would)"
_PREPOSITIONS = (
    r"(?:about|after|as|at|before|between|by|during|for|from|in|into|like|of|on|over|per|since|than|to|under|until|"
    r"near|with|within|without)"
)
_DETERMINER = r"(?:an?|the|each|every|no|all|any|its|his|her|their|our|he|she|it|they|we|you|i)"
_GRAMMAR = (
    rf"(?:{_AUXILIARY}|{_PREPOSITIONS}|{_DETERMINER}|{QUESTION_WORD}|and|or|but|if|not|be|one|other|another|same|this|that|"
    r"these|those|here|there|now|today|ever|yet|still|so|too|more|less|most|much|enough|been|built|left|open)\b"
)
"""No noun, nor a verb with a meaning of its own."""
_TIME = (
    r"(?:day|week|weekend|month|year|decade|time|morning|afternoon|evening|night|season|spring|summer|autumn|fall|"
    rf"winter|{'|'.join((*MONTHS, *WEEKDAYS))})\b"
)
_OPENING = r"(?:an?|the(?!\s+(?:\w+\s+time|same|most)\b)|no|its|his|her|their|our|he|she|it|they|we|you|i)"
"""What a clause begins with behind `that`."""
_NO_POINTER = re.compile(
    r"(?:^|[,;:]\s*)(?:is|are|was|were)\s+there\b|\bhow\s+(?:many|much)\b.*\b(?:is|are|was|were)\s+there\b"
    r"|\bboth\b(?=.+\band\b)|\b(?:either|neither)\b(?=.+\bn?or\b)"
    # `that` which begins a clause: `Which ferry is it that sails`, `the ship that sank in May`, `rules that are new`
    r"|(?<=\s)(?:is|was)\s+it\s+that\b(?=\s+\w+\s+\w)"
    rf"|\b(?:the|an?)\s+(?!{_GRAMMAR})[\w-]+\s+that\b(?=\s+(?!{_TIME}|one\b|same\b|other\b)\w+\s+\w)"
    rf"|\b(?!{_GRAMMAR})\w+\s+that\b(?=\s+(?:{_AUXILIARY}|{_OPENING})\s+\w|['’]s\s+\w)"
    # `one` that counts: `one of the piers`, `in one day`, `does one ticket cost`
    rf"|(?<!\bthe\s)\bone\s+of\b(?=\s+\w)|\b(?:{_PREPOSITIONS}|least|most|only)\s+one\b(?=\s+(?!{_GRAMMAR})[^\W\d])"
    rf"|(?:^|\b{_AUXILIARY}\s+)one\b(?=\s+(?!{_GRAMMAR})[^\W\d]+\s+(?!{_GRAMMAR})[^\W\d])",
    re.IGNORECASE,
)
"""Words that point to nothing said before: `Is there a fee?`, `both the pier and the quay`."""
_THE = re.compile(r"\bthe\s+([^\W\d_]+)", re.IGNORECASE)
_PREPOSITION_FIRST = re.compile(r"^(?:for|in|at|to|by|from|on|of|with|under|during)\b", re.IGNORECASE)
"""`In Okinawa?`: how a short question starts that is the end of the one before."""
_ASKS = re.compile(rf"[?？]|\b{QUESTION_WORD}\b", re.IGNORECASE)
_FILLER = re.compile(r"\b(?:please|tell|me|am|can|could|would|say|thanks?|ok|okay|h?mm+)\b", re.IGNORECASE)
"""Words that carry the talk, not its content: a rewriting may leave them out or bring them in."""
_META = re.compile(
    r"\b(?:more|further|again|briefly|give|explain|elaborate|describe|clarify|summari[sz]e|repeat|rephrase|expand|details?|"
    r"information|said|wrote|meant?|your|answer)\b",
    re.IGNORECASE,
)
"""Words of a question about the answer before, which is about nothing else: `Can you explain further?`"""
_NEXT = re.compile(r"\bnext\b", re.IGNORECASE)
_SIGNS = str.maketrans({"€": " euros ", "£": " pounds ", "$": " dollars ", "¥": " yen ", "%": " percent "})
_QUESTIONS, _LINE = r"[^\n?？]+[?？]( [^\n?？]+[?？])?", r"[^\n]+"
"""What a rewriting may be: of a question one or two questions, so that the model cannot answer instead; else a line."""
_REWRITE_TOKENS = 60
_BEFORE_CHARACTERS = 600
"""What is put behind a question that could not be rewritten, at most."""
SHORT = 2
"""Content words up to which a question without a name or number is taken for an ellipsis of the one before; up to twice
as many, it may speak of `the` thing of the last turns."""
RECENT = 2
"""Turns in which `the treaty` of a question is looked for: the last question and its answer."""


def leans_on_history(question: str, history: Sequence[Turn] = ()) -> bool:
    """Whether the question points back, starts like a continuation, or is very short or about the answer before.

    A short one without a name or number also leans where it speaks of `the` thing that the last turns speak of.
    """
    pointing = _LEANING_WORDS.search(_NO_POINTER.sub(" ", question)) or _LEANING_ABROAD.search(question)
    if pointing or _LEANING_START.search(question):
        return True
    named = any(character.isupper() or character.isdigit() for word in question.split()[1:] for character in word)
    words = len(set(tokenise(question)))
    if words <= SHORT and (not named or _PREPOSITION_FIRST.search(question) is not None):
        return True
    if not tokenise(_META.sub(" ", _FILLER.sub(" ", question))):
        return True
    if named or words > 2 * SHORT:
        return False
    said = {word for turn in history[-RECENT:] for word in tokenise(turn.content)}
    return any(said.intersection(tokenise(match[1])) for match in _THE.finditer(question))


def make_standalone(question: str, history: Sequence[Turn], generator: Generator) -> str:
    """The question as it would be asked without the conversation; itself where it leans on nothing.

    A rewriting is taken only when it is complete, every content word in it comes from the question or from the
    conversation, and every content word of the question that does not point back is still in it: the model adds
    nothing of its own and asks no other question. Otherwise the question of the turn before is put behind, as what it
    is: in front of the other, it would be the one that is answered (evals/LOG.md). Where that one leans as well, the
    last one that stands alone goes with it.

    Raises:
        GenerationError: The engine failed.
    """
    if not history or not leans_on_history(question, history):
        return question
    pattern = _QUESTIONS if _ASKS.search(question) else _LINE
    reply = "".join(generator.stream(standalone_prompt(question, history), max_tokens=_REWRITE_TOKENS, pattern=pattern))
    rewritten = " ".join(reply.split())
    if generator.count_tokens(reply) < _REWRITE_TOKENS and _keeps_to(rewritten, question, history):
        return rewritten
    earlier = _earlier_questions(history)
    if not earlier:
        return question
    name = "earlier question" if len(earlier) == 1 else "earlier questions"
    return f"{question} ({name}: {' '.join(earlier)[:_BEFORE_CHARACTERS].strip()})"


def _earlier_questions(history: Sequence[Turn]) -> list[str]:
    """The last question, and before it, where it leans, the last one that does not; each without what is behind it."""
    asked = [BEHIND.sub("", turn.content).strip() for turn in history if turn.role == "user"]
    asked = [question for question in asked if question]
    alone = [question for question in asked if not leans_on_history(question)]
    return list(dict.fromkeys([*alone[-1:], *asked[-1:]]))


def _keeps_to(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    words = _content(rewritten)
    known = _content(" ".join([question, *(turn.content for turn in history)]))
    own = _content(_LEANING_ABROAD.sub(" ", _LEANING_WORDS.sub(" ", _LEANING_START.sub(" ", _expand(question)))))
    return bool(words) and own <= words <= known


def _content(text: str) -> set[str]:
    """The words that carry the content of a text, and `not` where it denies; what is next is what comes after."""
    expanded = _NEXT.sub("after", _expand(text))
    words = set(tokenise(_FILLER.sub(" ", expanded)))
    return words | {"not"} if re.search(r"\bnot\b", expanded, re.IGNORECASE) else words


def _expand(text: str) -> str:
    """Contractions in full, and signs (€, %) as words."""
    return expand_contractions(text.translate(_SIGNS), typed=True)
