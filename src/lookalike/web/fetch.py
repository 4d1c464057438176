"""Fetch a picture from an address, without being led to a place inside the network.

Off by default. Every address that a name resolves to is checked, the connection goes to the checked address
itself so that the name cannot resolve to another one meanwhile, and every redirect is checked anew.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from urllib.parse import urljoin, urlsplit

import httpx

from lookalike.web.problems import Refusal

# All that IANA gives out for the internet; what lies beside it (::/8 with its embedded IPv4 forms, the local
# translation prefix 64:ff9b:1::/48, site-local fec0::/10 ...) leads somewhere inside, if anywhere.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 20.0
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)


async def fetch(address: str, *, max_bytes: int) -> bytes:
    """Return what is at an http or https address on the public internet.

    Raises
    ------
    Refusal    422: it is no such address, leads inside the network, is too large, or does not answer in time
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                found = await _fetch_once(address, max_bytes)
        except TimeoutError as error:
            raise Refusal(422, f"{address} did not answer within {TIMEOUT_SECONDS:g} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Refusal(422, f"{address} could not be fetched: {type(error).__name__}.") from error
        if isinstance(found, bytes):
            return found
        address = urljoin(address, found)
    raise Refusal(422, f"the address leads on more than {MAX_REDIRECTS} times.")


async def _fetch_once(address: str, max_bytes: int) -> bytes | str:
    """Return the body, or where a redirect leads."""
    host, port = _parse(address)
    public = await _resolve(host, port)
    parts = urlsplit(address)
    literal = f"[{public}]" if ":" in public else public
    target = httpx.URL(parts._replace(netloc=f"{literal}:{port}", fragment="").geturl())
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "Accept": "image/*",
        "User-Agent": "lookalike",
        "Accept-Encoding": "identity",
    }
    # No proxy and no cookie of the environment: what is asked for goes to the checked address only.
    async with (
        httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client,
        client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as response,
    ):
        if response.status_code in _REDIRECTS and "location" in response.headers:
            return str(response.headers["location"])
        if response.status_code != 200:
            raise Refusal(422, f"{address} answers with status {response.status_code}.")
        return await _read_bounded(response, address, max_bytes)


async def _read_bounded(response: httpx.Response, address: str, max_bytes: int) -> bytes:
    data = bytearray()
    async for part in response.aiter_raw():
        data += part
        if len(data) > max_bytes:
            raise Refusal(422, f"what is at {address} has more than {max_bytes:,} bytes.")
    return bytes(data)


def _parse(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refusal(422, f"{address!r} is no address: write http:// or https:// and a host.") from error
    if parts.scheme not in _PORTS or not host:
        raise Refusal(422, f"{address!r} is no address: write http:// or https:// and a host.")
    if parts.username is not None:
        raise Refusal(422, "an address with a user name is not fetched.")
    return host, port or _PORTS[parts.scheme]


async def _resolve(host: str, port: int) -> str:
    """Return an address of a host, all of whose addresses are public."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refusal(422, f"the host {host!r} is not known.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(one) for one in addresses):
        raise Refusal(422, f"the host {host!r} lies inside the network: it is not fetched from.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet; one that carries another is judged by that one too."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_global(ip)
    translated = ip.ipv4_mapped or _nat64(ip)
    if translated is not None:
        return _is_global(translated)
    carried = (ip.sixtofour, *(ip.teredo or ()))
    return ip in _GLOBAL_UNICAST and _is_global(ip) and all(one is None or _is_global(one) for one in carried)


def _is_global(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address inside one of the well-known translation prefix (RFC 6052)."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
