from __future__ import annotations

import pytest

from qa.asking import asks_for_list, asks_for_several, compared_things, sort_of_value, tells_of_accounts


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Where can I borrow seeds? All the places, please.", True),
        ("How many people wait at every garden?", True),
        ("Does the ferry sail every day?", False),
        ("When does the ferry sail every Monday?", False),
        ("Was she on board all the time?", False),
        ("Are all the ferries late?", False),
        ("What is the difference between JFHQ and JJOC?", True),
        ("How do articles IV and V differ?", True),
        ("Who opened it, and when?", True),
        ("Where is it? How large is it?", True),
        ("Name the ministers who met.", True),
        ("Which was dearer, the crane or the pier? Give both amounts.", True),
        ("Who opened the harbour?", False),
        ("When was the Ministry of Land and Water founded?", False),
        ("How many cranes has the harbour?", False),
        ("Which countries signed the treaty?", True),
        ("What are the conditions for a refund?", True),
        ("Who are the members of the board?", True),
        ("What other piers did the mayor open?", True),
        ("Which two young ministers met?", True),
        ("Can you list the ministers?", True),
        ("Names of those who met?", True),
        ("What is the name of the director?", False),
        ("Is the pier on the list of monuments?", False),
        ("What is two-factor login?", False),
        ("What happens when it rains?", False),
        ("Which process was used?", False),
        ("Which has the most cranes?", False),
        ("What is the rule which applies to dogs?", False),
        ("Which of the four committees met in May?", False),
        ("Which of the two ministers is older?", False),
        ("Which of the committees decides on fees?", False),
        ("Which four committees met in May?", True),
        ("Which four met in May?", True),
        ("Which of them were closed?", True),
        ("Which of the members have resigned?", True),
        ("Which of the piers are open?", True),
        ("Which of these is the oldest?", False),
        ("Which one of the three towers is the tallest?", False),
        ("What is the height of the two towers?", True),
        ("I have read different figures for the cost. What was it?", True),
        ("I have read different figures for the cost of the harbour.", True),
        ("Some say 12 cranes, others 14. How many are there?", True),
        ("Some sources say it opened in May, others in June. When did it open?", True),
        ("One report says 12, another 14. Which is right?", True),
        ("Are the two reports at odds?", True),
        ("Are the reports at odds over the cost?", True),
        ("Do the sources disagree on the cost?", True),
        ("Do the reports agree on the date?", True),
        ("Do the accounts contradict each other?", True),
        ("Was it 1994 or 1995?", True),
        ("Was it May or June when the harbour opened?", True),
        ("Did it cost 4 million or 5 million?", True),
        ("Is the fee 12 euros or 14 euros?", True),
        ("Is the fee €12 or €14?", True),
        ("Do the sources differ?", True),
        ("Are there conflicting reports about the cost?", True),
        ("Is there a discrepancy in the reports?", True),
        ("Who is the mayor?", False),
        ("What is the fee for a car or van?", False),
        ("Is a passport or visa needed?", False),
        ("May I bring a dog or a cat?", False),
        ("Was it closed or not?", False),
        ("Does it take a day or two?", False),
        ("Who was at odds with the mayor?", False),
        ("Did the ministers agree on a fee?", False),
        ("What did the parties agree on?", False),
        ("Name the ship that sank", False),
        ("Name the ships that sank", True),
        ("Name the chairman and the secretary.", True),
        ("Name two ships.", True),
        ("Please name all who met.", True),
        ("Name the director of the museum.", False),
        ("Name the captain, the mate and the cook.", True),
        ("Name the five largest northern islands.", True),
        ("Can one town sue another?", False),
        ("How did one ship report its position to another?", False),
        ("Is it open on Saturday or Sunday?", False),
        ("What do the tickets cost?", True),
        ("How much are the tickets?", True),
        ("How much do day tickets cost?", True),
        ("How much is a ticket?", False),
        ("What do the three tickets cost?", True),
        ("Which members are there and since when?", True),
        ("How many of the four committees met?", False),
        ("In which of the two towns was he born?", False),
        ("Which of the ships that were sold is the largest?", False),
        ("Which of the following is allowed?", False),
        ("Which of the ships were sunk?", True),
        ("Who was one of the ministers?", False),
    ],
)
def test_a_question_that_asks_for_several_things(question: str, several: bool) -> None:
    assert asks_for_several(question) == several


@pytest.mark.parametrize(
    ("question", "is_list"),
    [
        ("Which ferries sail on Sundays?", True),
        ("What does each of the ferries carry?", True),
        ("Where do the different ferries get their oil from?", True),
        ("Where can I board? All the piers, please.", True),
        ("Which of the ferries are white?", True),
        ("What does the ferry cost each year?", False),
        ("What is the difference between the Anna and the Elsa?", False),
        ("Which two ferries sail on Sundays?", False),
        ("Who built the Anna, and who the Elsa?", False),
        ("Are all the ferries late?", False),
        ("Why did all the ferries stop?", False),
        ("Which ferries sail between Velm and Orla?", True),
        ("Which of the two ferries are white?", False),
        ("Who steers every ferry?", True),
        ("What is paid every half hour?", False),
    ],
)
def test_a_question_that_asks_for_as_many_things_as_there_are(question: str, is_list: bool) -> None:
    assert asks_for_list(question) == is_list


@pytest.mark.parametrize(
    ("question", "tells"),
    [("Was it 4 or 5? I have seen two figures, do the sources agree?", True), ("When was it?", False)],
)
def test_a_question_that_tells_of_accounts(question: str, tells: bool) -> None:
    assert tells_of_accounts(question) == tells


@pytest.mark.parametrize(
    ("question", "sort"),
    [
        ("How many pilots are there?", "quantity"),
        ("And how often do they meet?", "quantity"),
        ("how thick can the ice be", "quantity"),
        ("At what age may they go?", "quantity"),
        ("whats the quay link going to cost?", "quantity"),
        ("What did the town spend on it?", "quantity"),
        ("What is the highest permitted speed on the lake?", "quantity"),
        ("Which percentage of the votes did she get?", "quantity"),
        ("price of a ticket for the museum?", "quantity"),
        ("When the river rose, how many plots were hit?", "quantity"),
        ("What did the fare come to, and what was the total cost?", "quantity"),
        ("How many came when it opened?", "quantity"),
        ("and for the pier? (earlier question: How much did the quay cost?)", "quantity"),
        ("and who built it? (earlier question: How much did the quay cost?)", ""),
        ("When was it opened?", "date"),
        ("On what day is the fee due?", "date"),
        ("Until when is it open?", "time"),
        ("Who is the opposite number of the mayor?", ""),
        ("What is the price commission?", ""),
        ("What does the fee cover?", ""),
        ("What force changes the speed of a body?", ""),
        ("Which keeper had the lowest percentage of saves?", ""),
        ("Why did the number of visitors fall?", ""),
        ("Why is it so?", ""),
    ],
)
def test_the_sort_of_value_that_a_question_asks_for(question: str, sort: str) -> None:
    assert sort_of_value(question) == sort


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("What is the difference between the Anna and the Elsa?", ("the Anna", "the Elsa")),
        ("whats the main difference between Anna & Elsa", ("Anna", "Elsa")),
        ("Can you explain the difference between the Anna and the Elsa?", ("the Anna", "the Elsa")),
        (
            "differences between U.S. Forces Japan and the 7th Fleet. I mix them up",
            ("U.S. Forces Japan", "the 7th Fleet"),
        ),
        ("How does the Anna differ from her sister ship?", ("the Anna", "her sister ship")),
        ("How do the Anna and the Elsa differ from each other?", ("the Anna", "the Elsa")),
        ("How does the Anna compare to the Elsa?", ("the Anna", "the Elsa")),
        ("How are the Anna and the Elsa different?", ("the Anna", "the Elsa")),
        ("how is the Anna different from the Elsa", ("the Anna", "the Elsa")),
        ("What distinguishes the Anna from the Elsa?", ("the Anna", "the Elsa")),
        ("What sets the Anna apart from the Elsa?", ("the Anna", "the Elsa")),
        ("Anna vs. Elsa", ("Anna", "Elsa")),
        ("Please compare the Anna with the Elsa.", ("the Anna", "the Elsa")),
        ("Compare and contrast Article IV and Article V", ("Article IV", "Article V")),
        ("Anna vs Elsa, what do they weigh?", ()),
        ("What is the difference between the old one and the ones of 2024?", ()),
        ("What is the difference between the Anna and the Elsa in length?", ()),
        ("difference between the deck of the Anna and Elsa?", ()),
        ("difference between the Ministry of Trade and Industry and the Ministry of Finance", ()),
        ("price difference between the adult and the child ticket", ()),
        ("How does the fare differ from last year?", ()),
        ("show me the budget of 2023 vs 2024", ()),
        ("Compare what the Anna carries with what the Elsa does.", ()),
        ("By how much did the fare differ from the price before?", ()),
        ("Who saw a difference between the Anna and the Elsa?", ()),
    ],
)
def test_two_things_that_are_compared_as_a_whole(question: str, things: tuple[str, ...]) -> None:
    assert compared_things(question) == things
    assert not things or asks_for_several(question)


def test_a_comparison_is_looked_for_in_linear_time() -> None:
    for question in ("difference between " + "a-" * 2000 + " and " + "b " * 2000, "-" * 4000 + "x vs"):
        assert compared_things(question) == ()
