"""Pages and fragments as trees, and a person signed in to a Django site."""

from __future__ import annotations

import pytest

from fixtures.markup import markup


def test_elements_are_found_by_tag_class_and_attribute() -> None:
    tree = markup('<div class="a b"><p>One <b>two</b></p><input name="x" value="1"></div><p class="b">three</p>')
    assert [one.text for one in tree.every("p")] == ["One two", "three"]
    assert [one.tag for one in tree.every(having="b")] == ["div", "p"]
    assert [one.attributes["value"] for one in tree.every("input", name="x")] == ["1"]
    assert tree.every("input", name="y") == []


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<p>a</b></p> b", "a b"),
        ("a<script>never()</script><style>p {}</style>b", "a b"),
        ("<p>a<br>b<img src=x>c", "a b c"),
        ("", ""),
    ],
)
def test_text_is_read_as_it_is_shown(html: str, text: str) -> None:
    assert markup(html).text == text


def test_escaped_markup_is_no_element() -> None:
    tree = markup("<div>&lt;b class='mine'&gt;bold&lt;/b&gt;</div>")
    assert tree.every("b") == []
    assert markup("<div><b class='mine'>bold</b></div>").every(having="mine")[0].text == "bold"
