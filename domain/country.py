"""ISO 3166-1: the two-letter codes of countries, as a table."""

from __future__ import annotations

from domain.value import InvalidValue

# Source: ISO 3166-1 alpha-2, officially assigned codes (249, 2026), and XK: user-assigned, and how Kosovo is written in practice.
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH
    CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN
    GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI
    LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM
    PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD
    TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK
    """.split()  # noqa: SIM905 - a table reads as a table
)

USUAL_MISTAKES = {"UK": "GB", "EL": "GR"}
"""Reserved for other uses, and often written for these countries (EL by the European Union itself)."""


def require_country(code: str) -> None:
    """Raises InvalidValue unless the code is ISO 3166-1's, in capitals."""
    if code in USUAL_MISTAKES:
        raise InvalidValue(f"{code} is no ISO 3166 code of a country; write {USUAL_MISTAKES[code]}.")
    if code not in COUNTRIES:
        raise InvalidValue("The country is not in ISO 3166; give a code of two capital letters, such as RO.")
