"""The part of CQL that the sandbox answers: conditions joined by `and`, then
`order by`. Anything else is refused, so that a query that works here is CQL.

Reference: https://developer.atlassian.com/cloud/confluence/advanced-searching-using-cql/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.confluence.content import Page

TOKEN = re.compile(
    r'\s*(?:"((?:\\.|[^"\\])*)"|(!=|>=|<=|=|~|>|<|\(|\)|,)|([^\s"=~!<>(),]+))',
    re.DOTALL,
)


class CQLError(ValueError):
    pass


@dataclass(frozen=True)
class Token:
    text: str
    quoted: bool = False

    def is_word(self, word: str) -> bool:
        return not self.quoted and self.text.lower() == word


Condition = Callable[[Page], bool]


def search(pages: Sequence[Page], cql: str) -> list[Page]:
    conditions, order, descending = parse(cql)
    found = [page for page in pages if all(holds(page) for holds in conditions)]
    return sorted(found, key=order, reverse=descending) if order else found


def parse(
    cql: str,
) -> tuple[list[Condition], Callable[[Page], str | float] | None, bool]:
    tokens = _tokens(cql)
    conditions: list[Condition] = []
    while tokens and not tokens[0].is_word("order"):
        if conditions:
            _expect(tokens, "and")
        conditions.append(_condition(tokens))
    order, descending = _order(tokens)
    if tokens or not conditions:
        raise CQLError(cql)
    return conditions, order, descending


def _tokens(cql: str) -> list[Token]:
    tokens, position = [], 0
    while cql[position:].strip():
        match = TOKEN.match(cql, position)
        if not match:
            raise CQLError(cql)
        quoted = match[1] is not None
        text = re.sub(r"\\(.)", r"\1", match[1]) if quoted else match[2] or match[3]
        tokens.append(Token(text, quoted))
        position = match.end()
    return tokens


def _take(tokens: list[Token]) -> Token:
    if not tokens:
        raise CQLError("the query ends too early")
    return tokens.pop(0)


def _expect(tokens: list[Token], word: str) -> None:
    if not _take(tokens).is_word(word):
        raise CQLError(f"expected {word}")


def _condition(tokens: list[Token]) -> Condition:
    name, operator, value = (_take(tokens) for _ in range(3))
    test = CONDITIONS.get((name.text.lower(), operator.text))
    if name.quoted or operator.quoted or not test:
        raise CQLError(f"{name.text} {operator.text}")
    return lambda page: test(page, value.text)


def _order(
    tokens: list[Token],
) -> tuple[Callable[[Page], str | float] | None, bool]:
    if not tokens:
        return None, False
    _expect(tokens, "order")
    _expect(tokens, "by")
    order = ORDERS.get(_take(tokens).text.lower())
    if not order:
        raise CQLError("order by")
    direction = _take(tokens).text.lower() if tokens else "asc"
    if direction not in {"asc", "desc"}:
        raise CQLError(direction)
    return order, direction == "desc"


def _contains(haystack: str, needle: str) -> bool:
    """Every word of the needle is a word of the text; `*` ends a beginning."""
    words = re.findall(r"\w+", haystack.lower())
    for wanted in re.findall(r"\w+\*?", needle.lower()):
        start = wanted.removesuffix("*")
        prefix = wanted.endswith("*")
        if not any(w.startswith(start) if prefix else w == start for w in words):
            return False
    return True


CONDITIONS: dict[tuple[str, str], Callable[[Page, str], bool]] = {
    ("text", "~"): lambda page, value: _contains(f"{page.title} {page.text}", value),
    ("title", "~"): lambda page, value: _contains(page.title, value),
    ("title", "="): lambda page, value: page.title == value,
    ("type", "="): lambda page, value: value.lower() == "page",
    ("space", "="): lambda page, value: page.space.key == value,
    ("space.key", "="): lambda page, value: page.space.key == value,
    ("id", "="): lambda page, value: page.id == value,
}
ORDERS: dict[str, Callable[[Page], str | float]] = {
    "lastmodified": lambda page: page.modified_at,
    "created": lambda page: page.created_at,
    "title": lambda page: page.title.lower(),
}
