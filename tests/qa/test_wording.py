"""Normalisation: the same words, numbers and dates written differently compare equal, and nothing else does."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.wording import expand_contractions, find_dates, normalise, states, without_dates


@pytest.mark.parametrize(
    ("same", "normalised"),
    [
        (["July 28, 2024", "28 July 2024", "2024-07-28", "the 28th of July, 2024", "Jul. 28 2024"], "2024 july 28"),
        (["July 2024", "july, 2024", "Jul 2024"], "2024 july"),
        (["July 28", "28 July", "28th of July"], "july 28"),
        (["Sept. 3, 2021", "Sep 3, 2021", "2021/09/03", "9/3/2021"], "2021 september 3"),
        (["July 28–29, 2024", "28-29 July 2024"], "2024 july 28 2024 july 29"),
        (["54,000", "54000", "54 thousand", "fifty-four thousand", "54K", "54-thousand"], "54000"),
        (["4,093,000", "4.093 million"], "4093000"),
        (["$4.093 million", "USD 4,093,000", "4.093 million dollars", "$4.093m"], "4093000 dollars"),
        (["US$4.093m", "4.093 million US dollars"], "4093000 us dollars"),
        (
            ["between $3 billion and $5 billion", "$3-5 billion", "$3bn–$5bn", "USD 3-5bn"],
            "3000000000 dollars 5000000000 dollars",
        ),
        (["three to five million", "3 to 5 million", "3 million to 5M"], "3000000 to 5000000"),
        (["from 300 to 2 million"], "from 300 to 2000000"),
        (["half a million", "500,000", "half-a-million", "½ million"], "500000"),
        (["one and a half million", "1.5 million", "1½ million", "1 1/2 million"], "1500000"),
        (["a quarter of a million", "250,000"], "250000"),
        (["54,000 ships", "54\u202f000 ships", "54 000 ships"], "54000 ships"),
        (["10 kg", "10kg", "10-kg"], "10 kg"),
        (["10kg-15kg", "10 kg – 15 kg"], "10 kg 15 kg"),
        (["12.50 euros", "€12.5", "EUR 12.50"], "12.5 euros"),
        (["3 p.m.", "3pm", "15:00", "3:00 PM"], "15h00"),
        (["10.30am", "10:30 a.m."], "10h30"),
        (["3 to 5 p.m.", "3pm to 5pm", "15:00 to 17:00"], "15h00 to 17h00"),
        (["9 to 5 p.m."], "9 to 17h00"),
        (["-18 °C", "−18 °C", "–18 °C", "minus 18 °C", "minus eighteen °C"], "−18 c"),
        (["x-5", "x 5"], "x 5"),
        (["in 2024¹", "in 2024"], "in 2024"),
        (["50 m²"], "50 m2"),
        (["hundreds of ships"], "hundreds of ships"),
        (["section 10b"], "section 10b"),
        (["an F-35B", "an F 35b"], "f 35b"),
        (["co\u00adoperation", "co\u200boperation", "co\u2060operation", "co\u200doperation"], "cooperation"),
        (["3.9.2021", "3 September 2021", "third of September 2021", "2021-09-03"], "2021 september 3"),
        (["2021-09-03T10:30Z", "3 September 2021, 10:30"], "2021 september 3 10h30"),
        (["July 28–30, 2024", "July 28 to 30, 2024", "28 and 30 July 2024"], "2024 july 28 2024 july 30"),
        (["May 4 to 12 ships"], "may 4 to 12 ships"),
        (["1.3 trillion", "1,300 billion"], "1300000000000"),
        (["three", "3", "3.0"], "3"),
        (["one hundred and sixty", "160"], "160"),
        (["25%", "25 percent", "25 per cent", "twenty-five percent"], "25 percent"),
        (["Fifth Air Force", "5th Air Force", "the 5th air-force"], "5th air force"),
        (["two-plus-two", "2+2", "2 plus 2"], "2 plus 2"),
        (["U.S.-Japan", "US–Japan", "the U.S. Japan"], "us japan"),
        (["Japan's forces", "Japan’s Forces.", "Japan forces"], "japan forces"),
        (["50,000-55,000", "50000 – 55000"], "50000 55000"),
        (["ﬁve　cats", "five cats"], "5 cats"),
        (["1960s", "1960's"], "1960s"),
        (["An end, the end: a end!"], "end end end"),
        (["March 28,000 troops"], "march 28000 troops"),
        (["June 31, 2024"], "june 31 2024"),
        (["agent 007"], "agent 007"),
        (["Room 12B", "room 12b"], "room 12b"),
        (["Seats 12B and 14K"], "seats 12b and 14k"),
        (["it sold 12B", "it sold 12 billion"], "it sold 12000000000"),
        (["The hall seats 12K", "hall seats 12,000"], "hall seats 12000"),
        (["1.50 m", "1.5 m", "1.50m"], "1.5 m"),
        (["2.50 hours", "2.5 hours"], "2.5 hours"),
        (["1,500.0", "1,500.00", "1500"], "1500"),
        (["Python 3.10 features"], "python 3.10 features"),
        (["HK$5 million", "HK$5m"], "5000000 hk dollars"),
        (["£16.9m/£14.2m", "£16.9m/14.2m"], "16900000 pounds 14200000 pounds"),
        (["16.9m/14.2m"], "16.9 m 14.2 m"),
        (["5 kg", "5kg", "5 kilograms", "five kilogrammes", "5 kilos"], "5 kg"),
        (["20 km", "20 kilometres", "20-kilometer"], "20 km"),
        (["5 m²", "5 square metres", "5 sq. m"], "5 m2"),
        (["20 °C", "20 degrees Celsius", "20℃"], "20 c"),
        (["20 km/h", "20 kilometres per hour", "20 kph"], "20 kmh"),
        (["6 ft", "6 feet", "6-foot"], "6 feet"),
        (["5 h", "5 hrs", "5 hours"], "5 hours"),
        (["on foot in h"], "on foot in h"),
        (["length: metres", "length (m)"], "length m"),
        (["noon", "12 noon", "12:00", "12 p.m."], "12h00"),
        (["midnight", "12 a.m.", "00:00"], "0h00"),
        (["in the afternoon"], "in afternoon"),
        (["a dozen ships", "12 ships", "one dozen ships"], "12 ships"),
        (["half a dozen ships", "a half-dozen ships", "6 ships"], "6 ships"),
        (["dozens of ships"], "dozens of ships"),
    ],
)
def test_the_same_thing_written_differently(same: list[str], normalised: str) -> None:
    assert {normalise(text) for text in same} == {normalised}


@pytest.mark.parametrize(
    ("text", "wording", "stated"),
    [
        ("It was founded on July 28, 2024, in Tokyo.", "2024", True),
        ("It was founded on July 28, 2024, in Tokyo.", "July 2024", True),
        ("It was founded on 28 July 2024.", "July 28", True),
        ("It was founded in July 2024.", "July 28, 2024", False),
        ("It was founded on July 28, 2024.", "July 2023", False),
        ("about 54 thousand people", "54,000", True),
        ("about 154,000 people", "54,000", False),
        ("about 54,000 people", "54", False),
        ("half a million people", "a million", False),
        ("½ cup", "2", False),
        ("1½ cups", "11", False),
        ("at 10:30 a.m.", "10 a.m.", False),
        ("hundreds of ships", "100", False),
        ("release 3.10", "3.1", False),
        ("at -18 °C", "18", False),
        ("$5 million", "€5 million", False),
        ("about 4.5 percent", "4", False),
        ("about 4.5 percent", "5%", False),
        ("the Indo-Pacific Command", "indo pacific command", True),
        ("the Pacific Commander", "Pacific Command", False),
        ("Japanese forces", "Japan", False),
        ("Japan's forces", "Japan", True),
        ("an A grade", "A", True),
        ("is C++ faster", "++", True),
        ("", "x", False),
    ],
)
def test_states_on_token_boundaries(text: str, wording: str, stated: bool) -> None:
    assert states(text, wording) is stated


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("It isn't, they don’t, he can't.", "It is not, they do not, he can not."),
        ("He's here and it's late.", "He is here and it is late."),
        ("They're, we've, you'll, she'd", "They are, we have, you will, she would"),
        ("Velm's mayor, its ill will, we were", "Velm's mayor, its ill will, we were"),
    ],
)
def test_contractions_are_written_out(text: str, expanded: str) -> None:
    assert expand_contractions(text) == expanded


def test_contractions_are_also_typed_without_an_apostrophe() -> None:
    assert expand_contractions("whats its mayor, didnt he, im", typed=True) == "what is its mayor, did not he, i am"
    assert expand_contractions("la ville dont Jony Ive") == "la ville dont Jony Ive"


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31)))
def test_every_form_of_a_date_is_one(day: date) -> None:
    month = day.strftime("%B")
    forms = [
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month[:3]}. {day.day}, {day.year}",
        f"{day.day:02} {month[:3]} {day.year}",
    ]
    assert len({normalise(form) for form in forms}) == 1
    assert states(f"On {forms[1]}, it began.", f"{month} {day.year}")


@given(st.integers(min_value=0, max_value=10**15))
def test_every_form_of_a_number_is_one(number: int) -> None:
    assert normalise(f"{number:,}") == normalise(str(number)) == normalise(f"{number}.0") == str(number)
    assert normalise(f"{number:,} thousand") == str(number * 1000)


@given(st.text())
def test_any_text_states_itself_and_normalises(text: str) -> None:
    normalised = normalise(text)
    assert normalised == " ".join(normalised.split())
    assert states(text, text)


def test_dates_are_found_and_taken_out() -> None:
    text = "From May 3 to 2024-07-28, 54,000 people."
    assert find_dates(text) == [("may 3", "may 3"), ("2024-07-28", "2024 july 28")]
    assert without_dates(text).split() == ["from", "to", ",", "54,000", "people."]
