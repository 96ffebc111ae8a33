"""What stands where a number should, when the caller's is withheld or nobody knows it. Such a caller is never matched."""

from __future__ import annotations

import re

WORDS = frozenset(
    {
        "",
        # RFC 3323 and RFC 3325 ("anonymous", anonymous.invalid), Asterisk ("<unknown>"), exchanges, gateways, handsets:
        *("anonymous", "anonymous caller", "asterisk", "blocked", "blocked caller", "caller id blocked", "hidden", "hidden number"),
        *("id unavailable", "n/a", "no caller id", "no number", "none", "not available", "null", "number unavailable"),
        *("number withheld", "private", "private caller", "private number", "restricted", "restricted number", "unavailable"),
        *("undefined", "unknown", "unknown caller", "unknown number", "withheld", "withheld number"),
        # and the same as exchanges in other languages say it:
        *(
            "anonim",
            "anonimno",
            "anonym",
            "anonimo",
            "anónimo",
            "anonimowy",
            "anonyme",
            "ascuns",
            "desconhecido",
            "desconocido",
            "geheim",
            "inconnu",
        ),
        *("masqué", "necunoscut", "numar ascuns", "număr ascuns", "numéro masqué", "privado", "privat", "privato", "privé"),
        *("sconosciuto", "unbekannt", "unterdrückt", "neznan", "nieznany", "zastrzeżony", "skrito"),
    }
)

STAND_INS = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, spelled on a telephone's keys: so Twilio reports a withheld number.
None of them is as long as the numbers of the country that it seems to call."""

_scheme = re.compile(r"(sips?|tel):", re.IGNORECASE).match
_zeros = re.compile(r"\+?[0 ]+").fullmatch


def is_withheld(raw: str | None) -> bool:
    """Whether this stands for no number at all. Never true of what could be one."""
    text = (raw or "").strip()
    scheme = _scheme(text)
    if scheme:
        text = text[scheme.end() :].partition("@")[0]
    text = re.sub(r"[\s_.-]+", " ", text.strip("<>()[]\"' \t")).strip().casefold()
    return text in WORDS or text.replace(" ", "") in STAND_INS or _zeros(text) is not None
