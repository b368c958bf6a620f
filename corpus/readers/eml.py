"""E-mail messages: the headers that people read, then the plain text, or the HTML where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from corpus.errors import DocumentError
from corpus.extracted import Extracted
from corpus.normalise import normalise
from corpus.readers.html import extract_page

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_ENCRYPTED = {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
MAX_ADDRESSES = 20
"""Addresses of a header that are shown; a mailing has thousands."""


def read_eml(data: bytes, path: Path) -> Extracted:
    """The message with its subject, sender, receivers and date as first lines; attachments are not read.

    Raises:
        DocumentError: It is encrypted, or no message.
    """
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    if not any(message.get(name) for name in ("From", "Subject", "Date", "Received")):
        raise DocumentError(f"{path} is no e-mail message: it has no headers. It is damaged, or has a wrong ending.")
    if message.get_content_type() in _ENCRYPTED:
        raise DocumentError(f"{path} is encrypted. Save the decrypted message, or its text.")
    lines = list(_header_lines(message))
    sender = getaddresses([str(message.get("From", ""))])
    metadata = {
        "title": str(message.get("Subject", "")),
        "author": next((name or address for name, address in sender), ""),
        "published": _date(message),
        "kind": "message",
    }
    head = normalise("\n".join(lines))
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        raise DocumentError(f"{path} holds no text: it has attachments alone. Save them as files.")
    content = _content(part)
    if part.get_content_type() == "text/html":
        page = extract_page(content, path)
        shift = len(head) + 2
        headings = tuple((start + shift, end + shift) for start, end in page.headings)
        return Extracted(f"{head}\n\n{page.text}", metadata, headings=headings)
    body = normalise(content).strip()
    return Extracted(f"{head}\n\n{body}", metadata)


def _header_lines(message: EmailMessage) -> Iterator[str]:
    for name in _HEADERS:
        value = " ".join(str(message.get(name, "")).split())
        if name in ("To", "Cc") and value.count(",") > MAX_ADDRESSES:
            value = ",".join(value.split(",")[:MAX_ADDRESSES]) + ", …"
        if value:
            yield f"{name}: {value}"


def _content(part: MIMEPart) -> str:
    """The text of a part; where its character set is not known, as UTF-8."""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _date(message: EmailMessage) -> str:
    """The day that the sender's clock showed, or empty."""
    try:
        return parsedate_to_datetime(str(message.get("Date", ""))).date().isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""
