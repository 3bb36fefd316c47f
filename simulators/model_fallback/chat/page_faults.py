"""What the page itself does wrong: the faults that its templates, styles and script act out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.faults import Faults

PAGE = (
    "message-not-shown",
    "loading-text-is-thinking",
    "header-shows-model",
    "icon-not-shown",
    "tooltip-stays-invisible",
    "tooltip-on-hover-only",
    "hover-class-renamed",
    "send-button-covered-on-phone",
    "code-block-too-wide",
    "hover-handler-throws",
    "page-stays-disabled",
    "page-ignores-availability",
    "enter-still-sends",
    "model-picker-hidden",
    "button-unchanged-when-disabled",
    "no-viewport",
    "real-request-handler-throws",
    "real-banner-silent",
    "real-small-text-in-field",
    "real-input-bar-beside-sidebar",
    "user-markup-unescaped",
    "spinner-transparent",
    "tooltip-outside-the-window",
    "pane-over-button-on-tablets",
    "answers-hidden-on-phone",
    "disabled-form-sends-on-click",
    "model-menu-of-buttons",
)


def defects(faults: Faults) -> dict[str, bool]:
    """Return which of the page's faults are on, by names that templates and scripts can use."""
    return {name.removeprefix("real-").replace("-", "_"): faults.on(name) for name in PAGE}
