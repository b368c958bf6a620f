from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.document import Document
from qa.answer import Answer, AnswerSentence, Citation, IndexInfo, Passage
from ui.render import answer_html, citation_html, draft_html, evidence_html, text_html, understood_html
from ui.render_source import panel_html, text_with_marks
from ui.render_turn import answered_html, failed_html, stopped_html, turn_html
from ui.words import confidence_words, date_words, note_kind, plain

CITATION = Citation(1, "a.md", "A <title>", "2024-07-28", "https://example.org", 5, 12, 'he said "no"')
ANSWER = Answer(
    question="Who?",
    standalone_question="Who?",
    abstained=False,
    reason=None,
    text="He did. [1]",
    sentences=(AnswerSentence("He did.", (1,), True),),
    citations=(CITATION,),
    passages=(),
    confidence=0.87,
    notes=(),
    model="m",
    engine="e",
    index=IndexInfo("g", "h"),
)
CHIP = (
    '<span class="cite"><button type="button" class="number" data-number="1" data-document="a.md" data-start="5" '
    'data-end="12" aria-label="Source 1: A &lt;title&gt;, July 28, 2024" '
    'aria-description="he said &quot;no&quot;">1</button><span class="tip" role="tooltip">'
    '<b>A &lt;title&gt;, July 28, 2024</b> <q dir="auto">he said &quot;no&quot;</q></span></span>'
)


def test_a_citation_is_a_button_with_its_place_and_a_tip() -> None:
    assert citation_html(CITATION) == CHIP


def test_an_answer_is_its_sentences_with_their_citations() -> None:
    assert answer_html(ANSWER) == (
        '<div class="answer"><p dir="auto"><span class="sentence">'
        f'He <span class="tail">did.{CHIP}</span></span></p></div>'
    )


def test_the_documents_own_words_stand_apart() -> None:
    sentences = (AnswerSentence("He did.", (1,), True), AnswerSentence("“They said “no”.”", (1,), True))
    shown = answer_html(replace(ANSWER, sentences=sentences))
    assert shown.count("<p dir") == shown.count("<blockquote dir") == 1
    assert shown.index("</p><blockquote") > 0


def test_the_words_that_answer_are_marked_in_a_quote() -> None:
    text = "“It has <about> 54,000 men.”"
    sentence = AnswerSentence(text, (1,), True, marked=((8, 15), (16, 26)))
    assert (
        f'“It has <mark>&lt;about&gt;</mark> <mark>54,000 </mark><span class="tail"><mark>men</mark>.”{CHIP}</span>'
        in (answer_html(replace(ANSWER, sentences=(sentence,))))
    )


def test_an_answer_without_sentences_shows_its_text_and_the_citations_in_it() -> None:
    assert answer_html(replace(ANSWER, sentences=())) == answer_html(ANSWER)


def test_an_unsupported_sentence_says_so() -> None:
    answer = replace(ANSWER, sentences=(AnswerSentence("He did not.", (), False),), citations=())
    assert answer_html(answer) == (
        '<div class="answer"><p dir="auto"><span class="sentence unsupported">He did not. '
        '<span class="flag">not supported by the documents</span></span></p></div>'
    )


def test_bullets_become_a_list() -> None:
    items = tuple(AnswerSentence(text, (), True) for text in ("Three things:", "- one", "- two", "That is all."))
    assert answer_html(replace(ANSWER, sentences=items, citations=())) == (
        '<div class="answer"><p dir="auto"><span class="sentence">Three things:</span></p>'
        '<ul><li dir="auto"><span class="sentence">one</span></li>'
        '<li dir="auto"><span class="sentence">two</span></li></ul>'
        '<p dir="auto"><span class="sentence">That is all.</span></p></div>'
    )


def test_a_refusal_gives_its_reason_and_never_looks_like_an_answer() -> None:
    refused = replace(ANSWER, abstained=True, reason="not_in_documents", text="", sentences=(), citations=())
    shown = answer_html(refused)
    assert shown == '<div class="answer refusal"><p class="verdict">The documents do not state this.</p></div>'
    assert "Related reading, not an answer" in answered_html(1, replace(refused, passages=(PASSAGE,)))


def test_a_corrected_premise_keeps_its_citations() -> None:
    shown = answer_html(replace(ANSWER, abstained=True, reason="false_premise"))
    assert shown.startswith('<div class="answer premise"><p class="verdict">The documents say otherwise')
    assert CHIP in shown


def test_a_disagreement_shows_its_sources_side_by_side_oldest_first() -> None:
    other = replace(CITATION, number=2, published="2023-01-11")
    shown = answer_html(replace(ANSWER, citations=(CITATION, other), notes=("Sources disagree on the date.",)))
    assert '<div class="note disagree"><p dir="auto">Sources disagree on the date.</p><ul class="beside">' in shown
    assert shown.index("<b>January 11, 2023</b>") < shown.index("<b>July 28, 2024</b>")


def test_the_two_values_of_a_disagreement_stand_side_by_side() -> None:
    note = "Sources disagree: “It has 54,000.” (USFJ, July 1, 1957), but “It has <55,000>.” (Report, March 2024)."
    assert (
        '<div class="note disagree"><p>Sources disagree.</p><ul class="beside">'
        '<li><span class="title" dir="auto">USFJ, July 1, 1957</span><q dir="auto">It has 54,000.</q></li>'
        '<li><span class="title" dir="auto">Report, March 2024</span><q dir="auto">It has &lt;55,000&gt;.</q></li>'
        "</ul></div>"
    ) in answer_html(replace(ANSWER, notes=(note,)))


def test_a_side_of_a_disagreement_opens_its_words_where_they_were_retrieved() -> None:
    note = "Sources disagree: “It has 54,000 …” (USFJ, July 1, 1957), but “It has 55,000.” (Report)."
    passage = Passage("usfj.md", 100, 140, 0.5, "First. It has\n54,000 people.", "USFJ")
    shown = answer_html(replace(ANSWER, notes=(note,), passages=(passage,)))
    assert (
        '<button type="button" class="card-link title" data-document="usfj.md" data-start="107" data-end="120"' in shown
    )
    assert '<span class="title" dir="auto">Report</span>' in shown


PASSAGE = Passage("a.md", 10, 40, 0.5, "One sentence. Another <one> here.", "A", "2024-07", ((24, 43),))


def test_evidence_marks_the_sentence_and_opens_its_place() -> None:
    shown = evidence_html([PASSAGE], 120)
    assert '<button type="button" class="card" data-document="a.md" data-start="24" data-end="43">' in shown
    assert "<mark>Another &lt;one&gt; here.</mark>" in shown
    assert "<time>July 2024</time>" in shown
    assert '<h3 title="found in 0.12 s">Evidence found</h3>' in shown


def test_passages_without_evidence_are_folded_away() -> None:
    shown = evidence_html([PASSAGE, replace(PASSAGE, document="b.md", highlights=())], 0)
    assert "1 more passages" not in shown
    assert "<summary>1 more passage</summary>" in shown


def test_beside_an_earlier_turn_less_evidence_stands_open() -> None:
    answer = replace(ANSWER, passages=tuple(replace(PASSAGE, document=f"{place}.md") for place in range(4)))
    assert "more passages" not in answered_html(1, answer)
    assert "<summary>2 more passages</summary>" in answered_html(1, answer, earlier=True)


def test_a_kept_comment_is_shown() -> None:
    assert "Your comment: &lt;b&gt;" in answered_html(1, ANSWER, turn="t", vote=-1, comment="<b>")


def test_nothing_found_is_said() -> None:
    assert "Nothing found in the documents" in evidence_html([], 10)


def test_a_draft_cannot_be_clicked() -> None:
    assert draft_html("It <b>is</b> [1, 2]") == (
        '<div class="answer draft" aria-busy="true"><p dir="auto">It &lt;b&gt;is&lt;/b&gt;<sup>1, 2</sup>'
        '<span class="caret"></span></p></div>'
    )


def test_a_follow_up_says_how_it_was_understood() -> None:
    assert (
        understood_html("And he?", "And Austin?") == '<p class="understood" dir="auto">Understood as: And Austin?</p>'
    )
    assert understood_html("Who?", "Who?") == ""


def test_the_states_of_a_turn() -> None:
    assert "Searching the documents…" in turn_html(1, "Q")
    assert "In line" in turn_html(1, "Q", status="In line")
    assert "was not checked" in stopped_html(1, "Q", "half an answ")
    assert "this is no answer" in failed_html(1, "Q", "The model is missing.")
    assert 'aria-pressed="true">Helpful' in answered_html(1, ANSWER, turn="t", vote=1)


DOCUMENT = Document(
    "a.md",
    "## Role\n\nFirst <line>. Second.\n\nLast line.",
    "h",
    'A "title"',
    publisher="P",
    published="2024-07-28",
    url="https://example.org/?a=1&b=2",
    headings=((3, 7),),
    pages=(0, 32),
)


def test_the_source_keeps_its_lines_headings_pages_and_marks() -> None:
    assert text_with_marks(DOCUMENT, (15, 21), [(23, 30)]) == (
        '<div class="page">Page 1</div><h3 dir="auto">Role</h3>'
        '<p dir="auto">First <mark class="cited">&lt;line&gt;</mark>. <mark class="also">Second.</mark></p>'
        '<div class="page">Page 2</div><p dir="auto">Last line.</p>'
    )


def test_a_page_that_begins_inside_a_line_is_named_there() -> None:
    paged = replace(DOCUMENT, text="One two three.", headings=(), pages=(0, 4, 4, 14))
    assert text_with_marks(paged, (0, 7)) == (
        '<div class="page">Page 1</div><p dir="auto"><mark class="cited">One </mark><small class="page">Page 2</small> '
        '<small class="page">Page 3</small> <mark class="cited">two</mark> three.</p>'
    )
    assert "<small" not in text_with_marks(replace(paged, pages=(0,)), (0, 7))


def test_the_asterisks_of_bold_words_are_kept_and_not_shown() -> None:
    bold = replace(DOCUMENT, text="**SOFA:** treaty", headings=(), pages=())
    assert text_with_marks(bold, (0, 9)) == (
        '<p dir="auto"><mark class="cited"><span class="bold-mark">**</span>SOFA:'
        '<span class="bold-mark">**</span></mark> treaty</p>'
    )


def test_a_citation_over_two_lines_is_marked_in_both() -> None:
    shown = text_with_marks(DOCUMENT, (23, 42))
    assert '<mark class="cited">Second.</mark>' in shown
    assert '<mark class="cited">Last line.</mark>' in shown


def test_only_web_addresses_become_links() -> None:
    assert 'href="https://example.org/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in panel_html(
        DOCUMENT, (0, 3)
    )
    for url in ("javascript:alert(1)", "https://x\" onclick='a'", "data:text/html,a", ""):
        assert "<a " not in panel_html(replace(DOCUMENT, url=url), (0, 3))


@settings(deadline=None, max_examples=50)
@given(st.text(), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_whatever_is_marked_the_text_stays_whole(text: str, a: int, b: int, c: int, d: int) -> None:
    import html
    import re

    document = Document("d", text, "h", "t")
    shown = text_with_marks(document, (min(a, b), max(a, b)), [(min(c, d), max(c, d))])
    read = html.unescape(re.sub(r"<[^>]+>", "", shown.replace("</p><p", "</p>\n<p")))
    assert read == plain("\n".join(line for line in text.split("\n") if line.strip()))


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    escaped = text_html(text)
    assert not set(escaped) & set("<>\"'")


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2024-07-28", "July 28, 2024"),
        ("2024-07", "July 2024"),
        ("1957", "1957"),
        ("", ""),
        ("2024-13-01", "2024-13-01"),
    ],
)
def test_dates_in_words(iso: str, words: str) -> None:
    assert date_words(iso) == words


def test_confidence_in_words() -> None:
    assert confidence_words(0.95) == "Very likely in the documents"
    assert confidence_words(0.0) == "Hardly in the documents"


def test_notes_have_their_kinds() -> None:
    assert note_kind("Sources disagree: 2023 and 2024.") == "disagree"
    assert note_kind("The newest source is from 2022.") == "old"
    assert note_kind("Evidence was cut.") == "cut"
    assert note_kind("Something else.") == "plain"
