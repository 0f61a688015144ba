"""Which messages say only thanks, and which must never be taken for that."""

from __future__ import annotations

import pytest

from supportdesk.desk.thanks import says_only_thanks


@pytest.mark.parametrize(
    "text",
    [
        "Grazie mille!", "Perfetto, grazie. Cordiali saluti", "Thank you so much, have a nice day", "Thanks!",
        "Vielen Dank!", "Merci beaucoup pour votre réponse, bonne journée", "Muchas gracias, un saludo",
        "grazie\n-- \nRosa Bianchi\nVia Roma 1",
    ],
)  # fmt: skip
def test_thanks_and_courtesy_and_nothing_else(text: str) -> None:
    assert says_only_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Grazie, ma quando arriva?", "Grazie?", "Grazie ma non è arrivato", "Thanks for nothing", "Ok", "Perfetto",
        "Danke, aber das Paket ist kaputt", "Merci de me rembourser", "Gracias, sigo esperando", "5521 grazie",
        "grazie " * 30,
    ],
)  # fmt: skip
def test_in_doubt_it_is_a_message_like_any_other(text: str) -> None:
    assert not says_only_thanks(text)
