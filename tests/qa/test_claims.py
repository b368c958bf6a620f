"""Numbers, dates and names in an answer, and whether the cited words hold them."""

from __future__ import annotations

import pytest

from qa.claims import WORDING, Claims, check_claims, find_capitalised, find_names, find_numbers, unfounded


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("About 54,000 people and 160 staff, three of them new.", ["54000", "160", "3"]),
        ("One of the first in 2019.", ["2019"]),
        ("The 1st of 1 on July 28, 2024.", ["1st", "1"]),
        ("A 19.6% rise in the 1960s", ["19.6", "1960s"]),
        ("It costs $5m, 5B or 12km at 10.30am.", ["5000000", "5000000000", "12", "10h30"]),
        ("In Year 1, hundreds came at -18 °C.", ["1", "−18"]),
        ("None here.", []),
    ],
)
def test_numbers(text: str, numbers: list[str]) -> None:
    assert find_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The head is Lloyd Austin. He met Minoru Kihara in July.", ["Lloyd Austin", "Minoru Kihara"]),
        ("Talks were held. Later USFJ and the Indo-Pacific Command met.", ["USFJ", "Indo-Pacific Command"]),
        ("USFJ reports to Hawaii.", ["USFJ", "Hawaii"]),
        ("Lloyd Austin said so.", ["Lloyd Austin"]),
        ("On Sunday the plan was agreed.", []),
        ("It cost US$5 million or A$7m in the US.", ["US"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert find_names(text) == names


def test_capitalised_words_are_also_those_that_are_no_names() -> None:
    assert find_capitalised("Toyota said on Tuesday that it met Lloyd Austin. The plan") == [
        *("Toyota", "Tuesday", "Lloyd", "Austin"),
    ]
    assert find_capitalised("worldjpn.net 20221216.O2E") == ["O2E"]


def test_claims_are_checked_against_the_cited_words() -> None:
    cited = "On July 28, 2024, Secretary Lloyd J. Austin spoke of 54,000 troops."
    answer = "In July 2024 Lloyd Austin, not Antony Blinken, spoke of 54 thousand troops and 45,000 others on May 3."
    assert check_claims(answer, cited) == {
        "numbers": Claims(2, ("45000",)),
        "dates": Claims(2, ("may 3",)),
        "names": Claims(2, ("Antony Blinken",)),
    }


def test_nothing_claimed_and_nothing_cited() -> None:
    assert check_claims("It rose.", "") == {kind: Claims(0, ()) for kind in ("numbers", "dates", "names")}
    assert check_claims("In Japan 3 rose.", "")["names"] == Claims(1, ("Japan",))


@pytest.mark.parametrize(("release", "other"), [("3.1.1", "3.1.2"), ("3.10.2", "3.1.2"), ("3.0.1", "3.1")])
def test_a_release_is_a_number_of_its_own(release: str, other: str) -> None:
    assert check_claims(f"It came in {release}.", f"Release {release} has it.")["numbers"].unsupported == ()
    assert check_claims(f"It came in {release}.", f"Release {other} has it.")["numbers"].unsupported == (release,)


@pytest.mark.parametrize(
    ("draft", "statement", "held"),
    [
        ("It cost 5 million dollars.", "The price was $5 million.", True),
        ("It cost 5 million.", "The price was $5 million.", True),
        ("It cost $5 million.", "The price was €5 million.", False),
        ("It cost 58 billion dollars.", "The price was A$58 billion.", False),
        ("It cost $58bn.", "The price was US$58 billion.", True),
        ("It cost 58 billion US dollars.", "The price was US$58 billion.", True),
        ("The Australian boat cost A$58bn.", "The price of the boat was A$58 billion.", False),
        ("It cost EUR 5.", "The price was 5 euros.", True),
        ("It cost 5 dollars.", "It has 5 cranes.", False),
        ("It took 2 m.", "It took £2m.", False),
        ("It opened on 3 September 2021.", "Opening: 03/09/2021", True),
        ("It opened on March 9, 2021.", "Opening: 03/09/2021", True),
        ("It opened on 10/03/2021.", "Opening: 3 September 2021", False),
        ("It opened on 03/09/2021.", "Opening: 3 September 2021", True),
        ("It opened on 9 March 2021.", "Opening: 3.9.2021", False),
    ],
)
def test_sums_are_held_in_their_currency_and_dates_in_either_order(draft: str, statement: str, held: bool) -> None:
    unsupported = [claim for kind in check_claims(draft, statement).values() for claim in kind.unsupported]
    assert (not unsupported) is held


@pytest.mark.parametrize(
    ("draft", "read", "claims"),
    [
        ("It cost $5 million on May 5, 1994.", "It cost 5.", ["$5 million", "May 5, 1994"]),
        ("It opened at 10:30 in Oslo.", "It opened late.", ["10:30", "Oslo"]),
        ("He met Petra Müller of the Romans.", "Petra Mullers Roman house.", []),
        ("It rose to 45,000, not 7.", "There were 45 thousand.", ["7"]),
    ],
)
def test_what_stands_nowhere_is_named_as_it_was_written(draft: str, read: str, claims: list[str]) -> None:
    found = [claim for kind in check_claims(draft, "").values() for claim in kind.unsupported]
    assert unfounded([*found, *found, "a negation", WORDING], draft, read) == claims
