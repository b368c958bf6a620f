from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Document, document_sentences, find_documents, load_document, normalise, split_sentences
from corpus.loading import find_headings
from corpus.sentences import MAX_SENTENCE

SHIPPED = Path(__file__).resolve().parents[2] / "corpus" / "documents"

# "|" stands where a sentence ends.
HARD = """\
U.S. Secretary of Defense Lloyd Austin met Lt. Gen. Stephen Jost at 9 a.m. on Sunday.|He left at 5 p.m.|Then it came.
See No. 4 below.|No. 3 applies.
The summit, said Ferdinand ‘Bongbong’ Marcos Jr. in Manila, was historic.|“We welcome it.”|He left.
It is at Camp H.M. Smith, Hawaii.|It moved from the U.S.|It was late.
The co-chairs, U.S. Under Secretary of Defense William LaPlante and Masaki Fukasawa, signed.
Indo-Pacific Command stays above it.|U.S. officials said no.
The country's most severe environment since World War II.|China's conduct is described as a challenge.
Adm. Samuel J. Paparo Jr. took over.|Gen. Charles Q. Brown Jr. attended.
Mr. Kishida met Dr. Smith and Prof. Sato.|They talked.
Sen. Bill Hagerty, R-Tenn., and Rep. Adam Smith, D-Wash., agreed.|Gov. Denny Tamaki did not.
The deal is worth $1.5 billion, i.e. about 3.4 percent of GDP.|It ends in 2027.
He was born on Jan. 3, 1950, in St. Louis.|His father was a Lt. Col. in the army.
Lockheed Martin Corp. and Raytheon Co. build them.|Mitsubishi Heavy Industries Ltd. makes parts.
“We will not accept it,” she said.|“The U.S. must act.”
Is it true?|Yes!|It is.
The meeting (held on Sunday, Sept. 3) was short.|It ended at 3:30 p.m. in Tokyo.
Art. 5 of the treaty applies.|See Art. V. of the text.
The vote was 10-3 vs. 9-4 in the U.N. General Assembly.|Japan abstained.
Japan’s Lt. Gen. Kenichiro Nagumo leads it.|Maj. Gen. George Rowell is his deputy.
The plan… is unclear.|Officials said so.
He cited pp. 3-5 of the report, vol. 2, fig. 3.|The rest is secret.
Brig. Gen. Tom Jones spoke at Ft. Bragg, N.C., on Monday.|Sgt. Lee did not.
She works at the U.S. Department of State in Washington, D.C.|Her office is closed.
The E.U. and the U.K. signed.|The U.S. did not.
He has a Ph.D. from M.I.T. and an M.A. in law.|He teaches.
The island is approx. 3 sq. km.|Nobody lives there.
It costs ¥43 trillion.|It runs to FY2027.
The U.S.-Japan alliance, the Japan-U.S. "2+2," and the U.S. Forces Japan command changed.
Visit www.mod.go.jp for details.|The site is in English.
The firm, Yahoo! Inc., was sold.|Nobody knew.
Cf. the 2015 Guidelines, e.g. chap. 4.|They matter.
He left.|Ms. Lee and Rev. Moor came.|Mme. Paz did not.
The pier is shut.³|It has cranes.[2][a]|“It is old.”[3]|They left.12|Then came No.12 Pier.
It is shut.|(It was open.)|Nobody came.|(U.S.) Navy ships did.
“Who is there?” – asked Ann.|“I am.”
Er kam am 3. Mai nach Bonn, bzw. Köln, nach § 5 Abs. 2 BGB.|Am 5. Juni ging er.
Er ist mind. 18 und zahlt 5 Euro zzgl. MwSt. und insges. 9 Euro inkl. Steuer.|Es ist approx.12 Tage her.
Llegó a EE. UU. en mayo.|La Sra. Paz dijo que no."""


def texts(text: str) -> list[str]:
    return [text[s.start : s.end] for s in split_sentences(text, find_headings(text))]


@pytest.mark.parametrize("line", HARD.split("\n"))
def test_abbreviations_and_quotes(line: str) -> None:
    assert texts(line.replace("|", " ")) == line.split("|")


def test_lines_without_blank_lines_between_do_not_run_together() -> None:
    long = (
        "The council met on Monday to hear the report of the ministry, which took the better part of the whole long day"
    )
    assert texts(f"{long} in Tokyo.\n{long} in Kobe\n{long} in Nara.") == [
        f"{long} in Tokyo.",
        f"{long} in Kobe",
        f"{long} in Nara.",
    ]


def test_wrapped_paragraphs_are_joined_across_lines() -> None:
    text = (
        "The minister, who came early, met U.S.\nSecretary of Defense Lloyd Austin, of course,\nat noon. He left "
        "early that day, for the\nairport.\n\nTokyo\nOsaka"
    )
    assert texts(text) == [
        "The minister, who came early, met U.S.\nSecretary of Defense Lloyd Austin, of course,\nat noon.",
        "He left early that day, for the\nairport.",
        "Tokyo",
        "Osaka",
    ]


def test_headings_are_sections_and_list_marks_are_left_out() -> None:
    text = "# Title\nIntro.\n\n## Size\n- First item\n- **2nd** item.\n1. Third.\n> Quoted.\n---\n| a | b |\n|--|--|\n"
    sentences = split_sentences(text, find_headings(text))
    assert [(s.section, text[s.start : s.end]) for s in sentences] == [
        ("Title", "Intro."),
        ("Size", "First item"),
        ("Size", "**2nd** item."),
        ("Size", "Third."),
        ("Size", "Quoted."),
        ("Size", "| a | b |"),
    ]


@pytest.mark.parametrize("mark", ["(a)", "b)", "(12)", "iv.", "c.", "–", "—", "●", "▪", "·", "\uf0b7"])
def test_marks_of_items_are_left_out_and_begin_a_unit(mark: str) -> None:
    wide = "the first item of this list is as wide as a paragraph"
    assert texts(f"{mark} {wide}\n{mark} second item") == [wide, "second item"]


@pytest.mark.parametrize(
    "line", ["A. Smith came.", "I. Newton saw it.", "c. 1900 men came.", "e. g. the pier.", "-5 °C"]
)
def test_what_is_no_mark_of_an_item_stays(line: str) -> None:
    assert texts(line) == [line]


@pytest.mark.parametrize("mark", ["v.", "–", "-", "A)", "(b)", "12."])
def test_a_lone_mark_in_the_middle_of_a_sentence_is_no_item(mark: str) -> None:
    before = "The court decided the case of the large harbour company of Velm"
    after = f"{mark} the small crane company."
    assert texts(f"{before}\n{after}") == [f"{before}\n{after}"]
    items = texts(f"- {before}\n  {after}\n- another item.")
    assert items == ([before, after[2:], "another item."] if mark == "-" else [f"{before}\n  {after}", "another item."])


@pytest.mark.parametrize("mark", ["-", "–", "1.", "a)", "(a)", "i.", "v.", "(b)", "12."])
def test_a_list_of_one_item_is_no_sentence(mark: str) -> None:
    before = "For the inspection of a berth in the old harbour everybody brings"
    item = "passport or card"
    begins = mark not in ("v.", "(b)", "12.")
    assert texts(f"{before}\n{mark} {item}") == ([before, item] if begins else [f"{before}\n{mark} {item}"])


@pytest.mark.parametrize(
    "text",
    [
        "{full}\n- ships of every kind\n- boats",
        "{full}\n1. Open it\n\n2. Close it",
        "{full}:\n- ships of every kind",
        "{full}.\n- ships of every kind",
        "{full}\n• ships of every kind",
        "Packing list\n- {full}",
    ],
)
def test_items_after_a_full_line_are_units(text: str) -> None:
    full = "The harbour rules for everyone who wants a berth in Velm are set here"
    assert len(texts(text.format(full=full))) == text.count("\n") + 1 - text.count("\n\n")


def test_a_row_of_a_table_is_one_sentence() -> None:
    row = "| Bo Lind | Jan. 2001. Left in 2003. |"
    assert texts(f"| Member | Since |\n|---|---|\n{row}") == ["| Member | Since |", row]
    prose = "The harbour is old and has to be rebuilt. "
    assert len(texts(f"| {prose * 12}|")) == 12


def test_over_long_sentences_are_cut_at_white_space() -> None:
    text = "word " * 1000 + "x" * 3000
    parts = texts(text.strip())
    assert all(len(part) <= MAX_SENTENCE for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_other_scripts() -> None:
    assert texts("日本です。米国です。") == ["日本です。", "米国です。"]


def test_repeated_paragraphs_and_the_title_line_are_dropped_once() -> None:
    deck = "The meeting occurred against a backdrop of uncertainty in the region."
    text = f"The title\n\n{deck}\n\n \n\nLead.\n\n{deck}\n\nEnd.\n\nShort line.\n\nShort line."
    document = Document(path="a.md", text=text, content_hash="", title="The title")
    kept = document_sentences(document)
    assert [text[s.start : s.end] for s in kept] == ["Lead.", deck, "End.", "Short line.", "Short line."]
    assert kept[1].start == text.rindex(deck)


def test_a_document_of_nothing_but_its_title_keeps_it() -> None:
    document = Document(path="a.txt", text="Only this", content_hash="", title="Only this")
    assert len(document_sentences(document)) == 1


def test_the_article_with_the_repeated_deck() -> None:
    document = load_document(SHIPPED / "articles" / "japan-us-two-plus-two.md", SHIPPED)
    sentences = [document.text[s.start : s.end] for s in document_sentences(document)]
    assert len(sentences) == len(set(sentences)) == 13
    assert sentences[0].startswith("In a pivotal development")
    assert sentences[4].startswith("U.S. Secretary of Defense Lloyd Austin lauded") and sentences[4].endswith(
        "tomorrow.”"
    )


def test_the_shipped_corpus_has_no_sentence_that_starts_in_the_middle() -> None:
    for path in find_documents(SHIPPED):
        document = load_document(path, SHIPPED)
        for sentence in document_sentences(document):
            text = document.text[sentence.start : sentence.end]
            assert not text[0].islower() or text.startswith("laodong"), (path, text)
            assert text[-1] in ".?!”\"'*:)", (path, text)


PIECES = st.sampled_from(
    [
        "U.S. ",
        "Gen. ",
        "a ",
        "B",
        ". ",
        "? ",
        "“",
        "”",
        "(",
        "\n",
        "\n\n",
        "- ",
        "# ",
        "> ",
        "1. ",
        "|",
        "日本。",
        "e\u0301",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(alphabet=st.characters(), max_size=300), st.lists(PIECES, max_size=80).map("".join)))
def test_sentences_are_exact_ordered_slices_that_lose_no_word(raw: str) -> None:
    text = normalise(raw)
    headings = find_headings(text)
    end = 0
    covered = [False] * len(text)
    for sentence in split_sentences(text, headings):
        quote = text[sentence.start : sentence.end]
        assert sentence.start >= end
        assert quote == quote.strip() and any(character.isalnum() for character in quote)
        assert "\n\n" not in quote and len(quote) <= MAX_SENTENCE
        covered[sentence.start : sentence.end] = [True] * len(quote)
        end = sentence.end
    for start, stop in headings:
        covered[start:stop] = [True] * (stop - start)
    # Nothing but list marks (a number, a sign) may be left out.
    assert not any(c.isalpha() and not covered[i] for i, c in enumerate(text))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("**Premier.** Ada Moor. **Treasurer:** Bo Lind.", ["**Premier.** Ada Moor.", "**Treasurer:** Bo Lind."]),
        ("- **Quorum.** Of the 16 owners, 11 came. Two left.", ["**Quorum.** Of the 16 owners, 11 came.", "Two left."]),
        ("**1. Quorum.** Eleven came.", ["**1. Quorum.** Eleven came."]),
        ("__May dogs come in?__ Guide dogs may.", ["__May dogs come in?__ Guide dogs may."]),
        ("*Note.* It is closed.", ["*Note.* It is closed."]),
        ("It is closed. **Dogs may not come in.**", ["It is closed.", "**Dogs may not come in.**"]),
        ("It is closed. *Nobody* came.", ["It is closed.", "*Nobody* came."]),
        ("In July 12. August was warmer.", ["In July 12.", "August was warmer."]),
        ("Er kam am 3. Mai nach Velm.", ["Er kam am 3. Mai nach Velm."]),
        ("Bring a hat. - a coat is not needed.", ["Bring a hat.", "- a coat is not needed."]),
        ("Kinder müssen mind.18 Jahre alt sein.", ["Kinder müssen mind.18 Jahre alt sein."]),
    ],
)  # fmt: skip
def test_what_is_set_off_in_front_of_a_sentence_stays_with_it(text: str, sentences: list[str]) -> None:
    assert texts(text) == sentences
