"""The console's own themes. Colour is never alone: glyphs and words say the same (`glyphs.py`).

`ansi` takes the terminal's own sixteen colours; `monochrome` uses none at all, only bold, dim, reverse and underline,
and is what `config` chooses under `NO_COLOR` (https://no-color.org).
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

MONOCHROME: Final = "monochrome"

_ANSI_VARIABLES: Final = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "block-cursor-foreground": "ansi_default",
    "block-cursor-background": "ansi_default",
    "block-cursor-text-style": "reverse",
    "block-cursor-blurred-foreground": "ansi_default",
    "block-cursor-blurred-background": "ansi_default",
    "block-cursor-blurred-text-style": "bold",
    "input-cursor-background": "ansi_default",
    "input-cursor-foreground": "ansi_default",
    "input-cursor-text-style": "reverse",
    "input-selection-background": "ansi_default",
    "input-selection-foreground": "ansi_default",
    "screen-selection-background": "ansi_default",
    "screen-selection-foreground": "ansi_default",
    "border": "ansi_default",
    "border-blurred": "ansi_default",
}

THEMES: Final[tuple[Theme, ...]] = (
    Theme(
        name="supportdesk-dark",
        dark=True,
        primary="#7aa2f7",
        secondary="#9aa5ce",
        accent="#e0af68",
        warning="#e0af68",
        error="#f7768e",
        success="#9ece6a",
        foreground="#d5d9e8",
        background="#16181f",
        surface="#1c1f28",
        panel="#262a36",
        variables={
            "block-cursor-background": "#2f3a57",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-text-style": "bold",
        },
    ),
    Theme(
        name="supportdesk-light",
        dark=False,
        primary="#2451a6",
        secondary="#4a5775",
        accent="#8a5200",
        warning="#8a5200",
        error="#b3122f",
        success="#2c6b1f",
        foreground="#1b1e27",
        background="#fbfbf8",
        surface="#f2f2ee",
        panel="#e4e5e0",
        variables={
            "block-cursor-background": "#cfdcf5",
            "block-cursor-foreground": "#000000",
            "block-cursor-text-style": "bold",
        },
    ),
    Theme(
        name="ansi",
        ansi=True,
        primary="ansi_blue",
        secondary="ansi_cyan",
        accent="ansi_yellow",
        warning="ansi_yellow",
        error="ansi_red",
        success="ansi_green",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables=dict(_ANSI_VARIABLES),
    ),
    Theme(
        name="high-contrast",
        dark=True,
        primary="#00e5ff",
        secondary="#ffffff",
        accent="#ffff00",
        warning="#ffff00",
        error="#ff8080",
        success="#80ff80",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        text_alpha=1.0,
        variables={
            "block-cursor-background": "#ffffff",
            "block-cursor-foreground": "#000000",
            "block-cursor-text-style": "bold",
        },
    ),
    # Okabe and Ito's palette: told apart with every common kind of colour blindness.
    Theme(
        name="colour-blind",
        dark=True,
        primary="#56b4e9",
        secondary="#999999",
        accent="#f0e442",
        warning="#e69f00",
        error="#ff8c42",
        success="#56b4e9",
        foreground="#e6e6e6",
        background="#101418",
        surface="#171c22",
        panel="#222a33",
        variables={
            "block-cursor-background": "#0072b2",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-text-style": "bold",
        },
    ),
    Theme(
        name=MONOCHROME,
        ansi=True,
        primary="ansi_default",
        secondary="ansi_default",
        accent="ansi_default",
        warning="ansi_default",
        error="ansi_default",
        success="ansi_default",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables=dict(_ANSI_VARIABLES),
    ),
)
