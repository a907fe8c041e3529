"""Finds what a message adds to those that it quotes: the text without quotes and signature, and forwarded messages.

Every rule reads each line once. Where nothing is left, or answers stand between quotes, the whole text counts.
"""

import re
from typing import Final

from mail.inbound.parsing.headers import ADDRESS, addresses
from mail.inbound.parsing.message import Address, Forwarded

MAX_LINES: Final = 20_000
MAX_LINE: Final = 1_000  # characters of a line that are looked at
MAX_SIGNATURE: Final = 25  # lines
MAX_HEADER_LINES: Final = 12
REPLY_MARK: Final = re.compile(r"^\W*(?:reply above this line|antworten sie oberhalb dieser zeile)\W*$", re.I)
SEPARATOR: Final = re.compile(
    r"^\s*(?:-{2,}|_{2,})\s*(?:original message|original appointment|originalnachricht|ursprüngliche nachricht|"
    r"message d['\u2019]origine|mensaje original|messaggio originale|oorspronkelijk bericht)\s*(?:-{2,}|_{2,})\s*$",
    re.I,
)
RULE: Final = re.compile(r"^\s*_{20,}\s*$")
ATTRIBUTION: Final = re.compile(
    r"^(?:>\s*)*(?:on\b.*\bwrote|am\b.*\bschrieb\b.*|le\b.*\ba écrit|el\b.*\bescribió|"
    r"il\b.*\bha scritto|op\b.*\bschreef\b.*|"
    r".*<[^<>@\s]+@[^<>@\s]+>\s*(?:wrote|schrieb|writes)|\d{4}-\d{2}-\d{2}\b.*<[^<>@\s]+@[^<>@\s]+>)\s*:\s*$",
    re.I,
)
HEADERS: Final = {
    "from": "from", "von": "from", "de": "from", "da": "from", "van": "from",
    "sent": "date", "date": "date", "gesendet": "date", "datum": "date", "envoyé": "date", "fecha": "date",
    "verzonden": "date", "enviado": "date", "inviato": "date", "enviado el": "date",
    "to": "to", "an": "to", "à": "to", "pour": "to", "para": "to", "aan": "to", "a": "to", "cc": "to", "kopie": "to",
    "subject": "subject", "betreff": "subject", "objet": "subject", "sujet": "subject", "asunto": "subject",
    "onderwerp": "subject", "oggetto": "subject", "reply-to": "to", "importance": "to", "priority": "to",
}  # fmt: skip
HEADER: Final = re.compile(r"^[*\s]*([A-Za-zÀ-ÿ-]{1,12}(?: el)?)\s*:[*\s]*(.*)$")
FORWARD: Final = re.compile(
    r"^\s*(?:-{2,}\s*(?:forwarded message|weitergeleitete nachricht|forwarded by .*|message transféré|"
    r"mensaje reenviado)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:|"
    r"début du message (?:réexpédié|transféré)\s*:|inicio del mensaje reenviado:|-{5,} forwarded message -{5,})\s*$",
    re.I,
)
DEVICE: Final = re.compile(
    r"^(?:sent from (?:my|mail for|outlook for|yahoo|proton)\b.*|get outlook for .*|von meinem .{1,40} gesendet.*|"
    r"gesendet von (?:mail für|meinem|outlook für)\b.*|"
    r"envoyé (?:de mon|depuis mon|depuis outlook pour|à partir de)\b.*|(?:obtenir|télécharger) outlook pour .*|"
    r"enviado desde (?:mi|outlook para|correo para|yahoo|proton)\b.*|obtener outlook para .*)$",
    re.I,
)


def new_text(text: str) -> str:
    """Return the text without the quotes and the signature at its end; all of it if nothing else is left."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return text
    kept = _without_signature(_without_quotes([line[:MAX_LINE] for line in lines]))
    found = "\n".join(lines[: len(kept)]).strip("\n").rstrip()
    return found if found.strip() else text.strip("\n").rstrip()


def _without_quotes(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if REPLY_MARK.match(line):
            return _without_attribution(lines[:number])
        if SEPARATOR.match(line) or _begins_headers(lines, number):
            return _without_rule(lines[:number])
    return _without_trailing_quote(lines)


def _begins_headers(lines: list[str], number: int) -> bool:
    """Return whether the headers of an earlier message begin here, as Outlook writes them."""
    match = HEADER.match(lines[number][:MAX_LINE])
    if not match or HEADERS.get(match[1].lower()) != "from":
        return False
    following = [HEADER.match(line[:MAX_LINE]) for line in lines[number + 1 : number + 6]]
    found = {HEADERS.get(each[1].lower()) for each in following if each}
    return "subject" in found and ("date" in found or "to" in found)


def _without_rule(lines: list[str]) -> list[str]:
    while lines and (not lines[-1].strip() or RULE.match(lines[-1]) or set(lines[-1].strip()) == {"-"}):
        lines = lines[:-1]
    return lines


def _without_trailing_quote(lines: list[str]) -> list[str]:
    """Remove a quote that reaches to the end, or to a signature after it."""
    end = len(lines)
    signature = _signature_start(lines)
    if signature is not None and any(line.lstrip().startswith(">") for line in lines[:signature]):
        end = signature
    start = end
    while start and (not lines[start - 1].strip() or lines[start - 1].lstrip().startswith(">")):
        start -= 1
    if not any(line.lstrip().startswith(">") for line in lines[start:end]):
        return lines
    return _without_attribution(lines[:start])


def _without_attribution(lines: list[str]) -> list[str]:
    """Remove "On ... wrote:" at the end, which may take up to four lines."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    for number in range(1, min(4, len(lines)) + 1):
        if ATTRIBUTION.match(" ".join(line.strip() for line in lines[-number:])):
            return lines[:-number]
    return lines


def _without_signature(lines: list[str]) -> list[str]:
    start = _signature_start(lines)
    lines = lines if start is None else lines[:start]
    while lines and (not lines[-1].strip() or DEVICE.match(lines[-1].strip())):
        lines = lines[:-1]
    return lines


def _signature_start(lines: list[str]) -> int | None:
    """Return the line of the signature's dashes (RFC 3676, 4.3), if a few lines follow; some cut the space."""
    first = max(0, len(lines) - MAX_SIGNATURE)
    marks = [number for number in range(first, len(lines)) if lines[number] in ("-- ", "--")]
    return marks[-1] if marks else None


def forwarded(text: str) -> Forwarded | None:
    """Return the message in the text of someone who forwarded it; None if its sender is not to be found."""
    lines = text.split("\n")[:MAX_LINES]
    for number, line in enumerate(each[:MAX_LINE] for each in lines):
        if FORWARD.match(line) or SEPARATOR.match(line):
            return _read_forwarded(lines, number + 1, "\n".join(lines[:number]).strip())
        if _begins_headers(lines, number):
            return _read_forwarded(lines, number, "\n".join(lines[:number]).strip())
    return None


def _read_forwarded(lines: list[str], start: int, comment: str) -> Forwarded | None:
    """Return the message whose headers begin at `start` or after empty lines."""
    while start < len(lines) and not lines[start].strip():
        start += 1
    values: dict[str, str] = {}
    number = start
    while number < min(len(lines), start + MAX_HEADER_LINES) and _unquoted(lines[number]).strip():
        match = HEADER.match(_unquoted(lines[number][:MAX_LINE]))
        if match and match[1].lower() in HEADERS:
            values.setdefault(HEADERS[match[1].lower()], match[2].strip().strip("*"))
        number += 1
    sender = _forwarded_sender(values.get("from", ""))
    if sender is None:
        return None
    body = "\n".join(_unquoted(line) for line in lines[number:]).strip("\n").rstrip()
    return Forwarded(sender, values.get("subject", ""), body, comment)


def _forwarded_sender(value: str) -> Address | None:
    plain = value.replace("[mailto:", "<").replace("]", ">").replace("<mailto:", "<")
    found = addresses([plain]) if ADDRESS.search(plain) else []
    if found and not found[0].name:
        name = re.split(r"[<\[(]", plain)[0].strip(" \"'*")
        return Address("" if "@" in name else name[:100], found[0].email)
    return found[0] if found else None


def _unquoted(line: str) -> str:
    return re.sub(r"^\s*>\s?", "", line)
