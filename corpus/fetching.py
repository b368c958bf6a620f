"""One document from a web address that the user named: http and https, within limits, from the open internet."""

from __future__ import annotations

import asyncio
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from corpus.errors import DocumentError
from corpus.loading import MAX_BYTES, READERS

if TYPE_CHECKING:
    import httpx

WEB = re.compile(r"https?://", re.IGNORECASE)
ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/epub+zip": ".epub",
    "message/rfc822": ".eml",
    "text/markdown": ".md",
    "text/plain": ".txt",
}
"""File ending by content type."""
UNSPECIFIC = {"text/plain", "application/octet-stream", "binary/octet-stream", "application/zip", ""}
"""Content types that servers give to what they do not know: the ending of the address decides."""
REDIRECTS = {301, 302, 303, 307, 308}

_NAT64 = ip_network("64:ff9b::/96")
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 2**16
"""Bytes that are decompressed at once, so that a bomb is noticed before it fills the memory."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one address may cost."""

    bytes: int = MAX_BYTES
    """Decompressed; a larger file would not be read from the corpus either."""
    seconds: float = 60.0
    """For everything, redirects included: 64 MiB take that long at 1.1 MB a second."""
    redirects: int = 5
    """Pages that have moved need one or two; browsers give up at 20."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave."""

    address: str
    """As the user named it."""
    final_address: str
    """After the redirects."""
    data: bytes
    content_type: str
    retrieved: str
    """UTC, ISO 8601."""
    name: str
    """A file name for it, with the ending of its content type."""


def fetch(address: str, *, allow_private: bool = False, limits: FetchLimits | None = None) -> Fetched:
    """Fetch a document.

    Each host on the way is resolved once, its addresses are checked, and the connection goes to the checked address
    itself, so that a name cannot point elsewhere between the check and the connection. Proxies are not used.

    Args:
        address: Begins with http:// or https://.
        allow_private: Whether hosts of private networks and this machine may be asked.
        limits: Of size, time and redirects; the defaults when None.

    Raises:
        DocumentError: The address is refused or does not answer, the limits are passed, or what comes is no document.
    """
    import httpx

    limits = limits or FetchLimits()
    try:
        return asyncio.run(_within_time(address, allow_private, limits))
    except TimeoutError as error:
        raise DocumentError(
            f"{address} took longer than {limits.seconds:g} seconds. Save the page as a file, and add the file."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, zlib.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DocumentError(f"{address} cannot be fetched: {reason}.") from error


async def _within_time(address: str, allow_private: bool, limits: FetchLimits) -> Fetched:
    async with asyncio.timeout(limits.seconds):
        return await _fetch(address, allow_private, limits)


async def _fetch(address: str, allow_private: bool, limits: FetchLimits) -> Fetched:
    import httpx

    url = httpx.URL(address)
    # A client of its own: no proxy, no netrc and no cookie of the environment reaches the host.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=limits.seconds) as client:
        for _ in range(limits.redirects + 1):
            response = await client.send(await _request(client, url, allow_private), stream=True)
            try:
                target = response.headers.get("location", "")
                if response.status_code in REDIRECTS and target:
                    url = url.join(target)
                    continue
                if response.status_code != 200:
                    raise DocumentError(f"{url} answers with status {response.status_code} and gives no document.")
                content_type = response.headers.get("content-type", "").split(";")[0].strip().lower()
                name = _file_name(url, content_type)
                data = await _body(response, url, limits)
            finally:
                await response.aclose()
            now = datetime.now(UTC).isoformat(timespec="seconds")
            return Fetched(address, str(url), data, content_type, now, name)
    raise DocumentError(f"{address} redirects more than {limits.redirects} times. Name the address where it ends.")


async def _request(client: httpx.AsyncClient, url: httpx.URL, allow_private: bool) -> httpx.Request:
    """A request to the checked address of the host, under the host's own name."""
    if url.scheme not in ("http", "https") or not url.host:
        raise DocumentError(f"{url} is no http or https address; only these are fetched.")
    if url.userinfo:
        raise DocumentError(f"{url.copy_with(userinfo=b'')} was given with a password, which would be stored with it.")
    checked = await _checked_address(url, allow_private)
    return client.build_request(
        "GET",
        url.copy_with(host=checked, fragment=None),
        headers={
            "Host": url.netloc.decode("ascii"),
            "User-Agent": "Dossier",
            "Accept": ", ".join([*ENDINGS, "*/*;q=0.1"]),
            "Accept-Encoding": "gzip, identity",
        },
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )


async def _checked_address(url: httpx.URL, allow_private: bool) -> str:
    """The address of the host to connect to; every one that the host has must be public."""
    import socket

    port = url.port or {"http": 80, "https": 443}[url.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise DocumentError(f"The host of {url} is not known ({error.strerror or error}).") from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    refused = [address for address in addresses if not is_public(address)]
    if refused and not allow_private:
        raise DocumentError(
            f"{url} leads to {refused[0]}, which is in a private network or reserved. To fetch it all the same, add "
            "--allow-private."
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: not private, loopback, link-local, multicast or reserved.

    An IPv4 address that is wrapped in an IPv6 one (mapped, 6to4, Teredo, NAT64) is judged itself.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        wrapped: list[IPv4Address] = [inner for inner in (found.ipv4_mapped, found.sixtofour) if inner]
        wrapped.extend(found.teredo or ())
        if found in _NAT64:
            wrapped.append(IPv4Address(int(found) & 0xFFFFFFFF))
        if wrapped:
            return all(is_public(str(inner)) for inner in wrapped)
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved and not found.is_unspecified


def _file_name(url: httpx.URL, content_type: str) -> str:
    """The last part of the path, or the host, with the ending that the content type has.

    Raises:
        DocumentError: No reader takes the content type.
    """
    path = PurePosixPath(url.path)
    ending = path.suffix.lower()
    known = ENDINGS.get(content_type, "")
    if content_type in UNSPECIFIC and ending in READERS:
        known = ending
    if known not in READERS:
        raise DocumentError(
            f"{url} is of type {content_type or 'unknown'}, which Dossier does not read. It reads "
            f"{', '.join(sorted(READERS))}."
        )
    stem = path.name.removesuffix(path.suffix) if ending in READERS else path.name
    return f"{stem or url.host}{known}"


async def _body(response: httpx.Response, url: httpx.URL, limits: FetchLimits) -> bytes:
    """The body, decompressed piece by piece, so that no more than the limit is ever in memory."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise DocumentError(f"{url} is sent as {encoding}, though plain or gzip was asked for.")
    too_large = DocumentError(
        f"{url} is larger than {limits.bytes:,} bytes. Save a part of it as a file, and add that."
    )
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.bytes:
        raise too_large
    gunzip = zlib.decompressobj(_GZIP) if encoding in ("gzip", "x-gzip") else None
    body = bytearray()
    async for raw in response.aiter_raw(_PIECE):
        if gunzip is None:
            body += raw
        else:
            body += gunzip.decompress(raw, limits.bytes + 1 - len(body))
        if len(body) > limits.bytes:
            raise too_large
    if gunzip is not None and not gunzip.eof:
        raise DocumentError(f"{url} broke off before its end. Try again.")
    return bytes(body)
