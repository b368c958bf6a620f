from __future__ import annotations

from corpus.tables import find_head, find_table, rows_under_heads, tell_rows

CLOSED = "| Ticket | Price |\n| --- | --- |\n| day | 12 euros |\n| year | 90 euros |"


def test_a_table_is_found_from_each_of_its_rows() -> None:
    table = CLOSED.replace("\n", "\n  ")
    text = f"- Tickets:\n\n- {table}  \n\n| year | none |\n"
    start, end = text.index("| Ticket"), text.index("90 euros |") + 10
    for row in ("| Ticket", "| day", "| year"):
        assert find_table(text, text.index(row)) == (start, end)
        assert find_head(text, text.index(row)) == (start, start + 18)
    for other in (text.rindex("| year"), text.index("Tickets:")):
        assert find_table(text, other) == find_head(text, other) == (other, other)


def test_rows_are_told_under_the_names_of_their_columns() -> None:
    assert tell_rows(CLOSED) == "Ticket: day, Price: 12 euros;\nTicket: year, Price: 90 euros"
    assert tell_rows("| year | 90 |\n| day | |", "| Ticket | Price |") == "Ticket: year, Price: 90;\nTicket: day"
    assert tell_rows("| Wilma | 9 m |", "| | Diameter |") == "Wilma, Diameter: 9 m"
    assert tell_rows("| all | 1 | 2 |", "| Ticket | Price |") == "all – 1 – 2"
    assert tell_rows("| year | Ask. Or", "| Ticket | Price | From |") == "Ticket: year, Price: Ask. Or"  # a cut row
    assert tell_rows("|x| is the distance from 0.") == "|x| is the distance from 0."


def test_a_later_piece_of_a_long_row_is_told_under_no_name() -> None:
    row = f"| Orla | {'It was closed and opened again. ' * 20}| 1998 | Visitors are welcome. Dogs are not. |"
    text = f"| Place | Story | Opened | Remarks |\n|---|---|---|---|\n{row}\n"
    piece = text.index("| 1998")
    assert find_head(text, text.index("| Orla"))[0] == 0
    assert find_head(text, piece) == find_table(text, piece) == (piece, piece)


def test_the_names_of_one_table_are_not_those_of_the_next() -> None:
    parking = "Parking:\n\n| Place: | Spaces |\n|---|---|\n| South | 80 |"
    told = tell_rows(f"{CLOSED}\n\n{parking}").splitlines()
    assert (told[1], told[-1]) == ("Ticket: year, Price: 90 euros", "Place: South, Spaces: 80")


def test_each_row_is_told_with_the_names_of_its_columns() -> None:
    head, rule = "| Class | Places |", "|---|---|"
    rows = ["| Aqua-fit | 30 |", "| Diving | |", "| Zumba | 12 | 3 |"]
    told = [(["Class", "Places"], ["Aqua-fit", "30"]), (["Class", "Places"], ["Diving", ""])]
    assert list(rows_under_heads("\n".join([head, rule, *rows]))) == told
    assert list(rows_under_heads(rows[0], head)) == told[:1]
    assert list(rows_under_heads(rows[0])) == list(rows_under_heads("30 places")) == list(rows_under_heads("")) == []
    ruled = f"{head}\n{rule}\n| Diving | 8 |\n{rule}\n| All | 38 |"
    assert [cells for names, cells in rows_under_heads(ruled) if names == ["Class", "Places"]] == [
        ["Diving", "8"],
        ["All", "38"],
    ]
