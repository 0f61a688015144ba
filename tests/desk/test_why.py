"""Why a ticket is due when it is, in sentences that an agent would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.l10n.catalog import use_language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.desk import House


@pytest.fixture
def _in_italian() -> Iterator[None]:
    use_language("it")
    yield
    use_language("en")


@pytest.mark.usefixtures("_in_italian")
def test_a_deadline_is_told_in_hours_and_with_the_weekday(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("snooze", house.giulia, [ticket_id], {"until": "2026-03-05T09:00:00+01:00"})
    told = " ".join(house.desk.why(ticket_id).sentences)
    assert "Il cliente aspetta da mercoledì 4 marzo 2026 alle ore 10:30." in told
    assert "Scade giovedì 5 marzo 2026 alle ore 10:30: alla stessa ora del primo giorno di apertura" in told
    assert "Orario di apertura fra i due momenti: 24 ore." in told
    assert "fino a giovedì 5 marzo 2026 alle ore 09:00" in told
