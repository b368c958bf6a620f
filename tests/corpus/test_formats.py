# ruff: noqa: ANN401  the class that makes files is one of conftest, which importlib mode does not let a test import
from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from corpus import Document, DocumentError, document_sentences, load_document, normalise
from corpus.extraction import Extractor
from corpus.readers.blocks import Block, blocks_of, join_blocks, one_line
from corpus.readers.html import decode_page
from corpus.readers.pdf import assemble, without_running_heads

Read = Callable[[str, bytes], Document]


@pytest.fixture
def read(tmp_path: Path, extractor: Extractor) -> Read:
    def load(name: str, data: bytes) -> Document:
        path = tmp_path / name
        path.write_bytes(data)
        document = load_document(path, tmp_path, extractor=extractor)
        assert normalise(document.text) == document.text
        for start, end in document.headings:
            assert document.text[start:end].strip() == document.text[start:end] != ""
        for sentence in document_sentences(document):
            assert document.text[sentence.start : sentence.end].strip()
        return document

    return load


def headings(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.headings]


def test_a_web_page_is_its_main_text_and_what_it_says_of_itself(read: Read, made: Any) -> None:
    document = read("a.html", made.page.encode())
    assert (document.title, document.author, document.publisher) == ("The bridge", "Ann Smith", "The Daily")
    assert (document.published, document.language) == ("2024-05-06", "en")
    assert "it had cost 12 million dollars in all. It will carry 4,000 cars a day.\n\n" in document.text
    assert "which could not be mended" in document.text
    assert "2019 | 3000" in document.text
    assert "Why it matters" in headings(document)
    assert "Home" not in document.text
    assert "cookies" not in document.text
    assert read("a.html", made.page.encode()) == document


def test_a_page_without_an_article_is_taken_whole(read: Read) -> None:
    assert read("b.htm", b"<title>Short</title><p>One line.<br>Two.<script>evil()</script>").text == "One line. Two."


@pytest.mark.parametrize(
    "data",
    [
        "<p>caf\u00e9".encode(),
        "\ufeff<p>caf\u00e9".encode("utf-16"),
        b'<meta charset="windows-1252"><p>caf\xe9',
        b'<?xml version="1.0" encoding="iso-8859-1"?><p>caf\xe9',
        b'<meta charset="no-such"><p>caf\xc3\xa9',
    ],
)
def test_the_encoding_of_a_page(data: bytes) -> None:
    assert decode_page(data).endswith("<p>caf\u00e9")


def test_a_pdf_keeps_its_pages(read: Read, made: Any) -> None:
    head = "The Ministry's yearly report 2024"
    pages = [
        [head, "The treaty was signed on January 19, 1960, in Washington by the", "prime", "1"],
        [head, "minister. It entered into force in June of the same year (1960).", "2"],
        [head, "A second paragraph stands on the third page alone, by it-", "self.", "3"],
    ]
    document = read("a.pdf", made.pdf(pages, "/Title (A report) /Author (The Ministry) /CreationDate (D:20240102)"))
    assert (document.title, document.author) == ("A report", "The Ministry")
    assert document.published == ""
    assert document.published_note == "undated; the file was made on 2024-01-02"
    assert "by the prime minister. It entered into force" in document.text
    assert "yearly report" not in document.text
    assert [document.page_of(document.text.index(words)) for words in ("treaty", "prime", "minister", "second")] == [
        1,
        1,
        2,
        3,
    ]


def test_lines_of_a_pdf_become_paragraphs() -> None:
    def text(*lines: str) -> str:
        return assemble([lines], {}).text

    full = "This line of the paragraph is as long as lines are on this page,"
    ended = f"{full} and this one ends it."
    assert text(full, "and this one ends it.", "A heading", full) == f"{ended}\n\nA heading\n\n{full}"
    assert text("Counter-", "strike and a counter-strike.") == "Counter-strike and a counter-strike."
    assert text("The co\u00ad", "operation.") == "The cooperation."
    for mark in ("-", "(a)", "b)", "ii.", "3.", "▪", "A.", "IV."):
        assert text(f"{mark} {full}", f"{mark} two") == f"{mark} {full}\n\n{mark} two"
        assert text(full + ".", mark, "Two", "Three") == f"{full}.\n\n{mark} Two\n\nThree"
    for mark in ("-", "(a)", "▪"):
        assert text(full, mark, "two") == f"{full}\n\n{mark} two"
    assert text(full, "12.") == f"{full} 12."
    assert text("The pier -", "an old one - is shut.") == "The pier - an old one - is shut."
    assert text(full, "bed. It was late.") == f"{full} bed. It was late."
    found = assemble([[], ["Only the second page."], [], ["And the fourth."]], {})
    assert found.pages == (0, 0, 22, 22)
    assert found.text[22:] == "And the fourth."


def test_running_heads_go_and_text_stays() -> None:
    pages = [["Report", f"Text {name}.", f"Page {n} of 4"] for n, name in enumerate("abcd", start=1)]
    assert without_running_heads(pages) == [["Text a."], ["Text b."], ["Text c."], ["Text d."]]
    assert without_running_heads([["12"]]) == [["12"]]
    assert without_running_heads([[], ["a", "b"], []]) == [[], ["a", "b"], []]


@settings(deadline=None)
@given(st.lists(st.lists(st.text(min_size=1), max_size=5), max_size=5))
def test_the_text_of_pages_is_normalised_and_in_order(pages: list[list[str]]) -> None:
    clean = [[line for line in map(one_line, lines) if line] for lines in pages]
    found = assemble(clean, {})
    assert normalise(found.text) == found.text
    assert len(found.pages) == len(pages)
    assert list(found.pages) == sorted(found.pages)
    for number, lines in enumerate(clean):
        if lines:
            assert found.text[found.pages[number] :].startswith(lines[0].rstrip("-\u00ad\u2010")[:1])


@settings(deadline=None)
@given(st.lists(st.builds(Block, st.text(), st.booleans())))
def test_blocks_become_lines_and_headings_are_exact(blocks: list[Block]) -> None:
    found = join_blocks(blocks, {})
    assert normalise(found.text) == found.text
    lines = found.text.split("\n\n")
    assert all(found.text[start:end] in lines for start, end in found.headings)


HEAD, ROW = "<tr><th>Boat</th><th>Fee</th></tr>", "<tr><td>8 m</td><td>20</td></tr>"
MARKDOWN = "| Boat | Fee |\n|---|---|\n| 8 m | 20 |"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (HEAD + ROW, MARKDOWN),
        (ROW + ROW, "| 8 m | 20 |\n| 8 m | 20 |"),
        ("<tr><td><p><b>Boat</b></p></td><td><b>Fee</b></td></tr>" + ROW, MARKDOWN),
        ("<tr><td><p>a|b</p><p>c</p></td><td></td></tr>" + ROW, "| a\\|b c | |\n| 8 m | 20 |"),
        ("<tr><td>Road</td><td>East</td></tr><tr><td>Phone</td><td>555</td></tr>", "| Road | East |\n| Phone | 555 |"),
        (
            "<caption>Fees</caption><tr><td>Boat</td><td>May</td><td>June</td></tr>"
            "<tr><td>8 m</td><td>1</td><td>2</td></tr>",
            "Fees\n\n| Boat | May | June |\n|---|---|---|\n| 8 m | 1 | 2 |",
        ),
        (f"<tr><td>Left</td><td><table>{HEAD}{ROW}</table></td></tr>", f"Left |\n\n{MARKDOWN}"),
        (f"{HEAD}<tr><td>{'long ' * 99}</td><td>b</td></tr>", f"Boat | Fee\n\n{'long ' * 99}| b"),
        ("<tr><td>One.</td></tr><tr><td>Two.</td></tr>", "One.\n\nTwo."),
        (HEAD, "Boat | Fee"),
    ],
)  # fmt: skip
def test_a_table_is_written_as_in_markdown(table: str, text: str) -> None:
    tree = html.fragment_fromstring(f"Before<table>{table}</table>After", create_parent="body")
    assert join_blocks(blocks_of(tree), {}).text == f"Before\n\n{text}\n\nAfter"


def test_a_word_document(read: Read, made: Any) -> None:
    document = read("a.docx", made.docx([("Heading1", "Costs"), ("Normal", "It cost 5 &lt; 6 yen.")]))
    assert (document.title, document.author) == ("The report", "Bo Li")
    assert document.published_note == "undated; the file was made on 2023-02-01"
    assert document.text == "Costs\n\nIt cost 5 < 6 yen.\n\nInserted words stay."
    assert headings(document) == ["Costs"]


def test_a_book_is_read_in_the_order_of_its_spine(read: Read, made: Any) -> None:
    chapter = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
    document = read(
        "a.epub",
        made.epub(
            {"a.xhtml": chapter.format("<h1>Two</h1><p>The end.</p>"), "b.xhtml": chapter.format("<p>First.</p>")}
        ),
    )
    assert document.text == "First.\n\nTwo\n\nThe end."
    assert headings(document) == ["Two"]
    assert (document.title, document.author, document.publisher, document.published) == (
        "The book",
        "Cy Ng",
        "The Press",
        "2020-03-04",
    )


def test_a_message_with_text_and_one_with_html(read: Read) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "Ann Smith <ann@example.org>", "bo@example.org"
    message["Subject"], message["Date"] = "The bridge – news", "Mon, 06 May 2024 23:00:00 -0500"
    message.set_content("It opens on Friday.\n\nCaf\u00e9 at nine.")
    message.add_alternative("<p>Not this part.</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4 ...", maintype="application", subtype="pdf", filename="a.pdf")
    document = read("a.eml", bytes(message))
    assert (document.title, document.author, document.published) == ("The bridge – news", "Ann Smith", "2024-05-06")
    assert document.text.startswith(
        "Subject: The bridge – news\nFrom: Ann Smith <ann@example.org>\nTo: bo@example.org\n"
    )
    assert document.text.endswith("It opens on Friday.\n\nCaf\u00e9 at nine.")
    page = EmailMessage()
    page["Subject"] = "HTML"
    page.set_content("<h2>News</h2><p>It opens on Friday.</p>", subtype="html")
    document = read("b.eml", bytes(page))
    assert "News\n\nIt opens on Friday." in document.text
    assert headings(document) == ["News"]


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("a.pdf", lambda made: b"", "is empty"),
        ("a.txt", lambda made: made.pdf([["Text"]]), "is a PDF, whatever its ending says"),
        ("a.md", lambda made: b"\x89PNG\r\n\x1a\nrest", "is a PNG picture"),
        ("a.pdf", lambda made: b"\x89PNG\r\n\x1a\nrest", "is a PNG picture"),
        ("a.pdf", lambda made: b"Just words.", "is not a PDF"),
        ("a.docx", lambda made: made.epub({}), "no Word document"),
        ("a.epub", lambda made: made.docx([]), "wrong ending"),
        ("a.docx", lambda made: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "without a password"),
        ("a.html", lambda made: b"<html><body><script>x()</script></body></html>", "holds no text"),
        ("a.eml", lambda made: b"Just words.", "no e-mail message"),
        ("a.eml", lambda made: b"Subject: s\nContent-Type: multipart/encrypted; boundary=b\n\n--b--\n", "is encrypted"),
        ("a.pdf", lambda made: made.pdf([[], []]), "2 pages are pictures"),
        ("a.pdf", lambda made: made.pdf([["Text"]])[:200], "damaged"),
        ("a.docx", lambda made: made.docx([("Normal", "x")])[:-40], "damaged"),
        (
            "a.epub",
            lambda made: made.epub(
                {}, **{"META-INF/encryption.xml": '<e><EncryptionMethod Algorithm="http://x/aes128-cbc"/></e>'}
            ),
            "DRM",
        ),
    ],
)
def test_what_cannot_be_read_says_why(read: Read, made: Any, name: str, make: Any, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read(name, make(made))


def test_an_encrypted_pdf(read: Read, made: Any) -> None:
    key = "<" + "00" * 32 + ">"
    encrypt = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -44 >> /ID [<00> <00>]"
    with pytest.raises(DocumentError, match="is encrypted"):
        read("a.pdf", made.pdf([["Secret"]], more=encrypt))
