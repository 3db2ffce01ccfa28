"""Small pictures for people, sites and servers."""

from __future__ import annotations

import hashlib


def avatar_svg(name: str) -> str:
    """A coloured disc with the first letter."""
    hue = hashlib.sha256(name.encode()).digest()[0] * 360 // 256
    letter = name[:1].upper() if name[:1].isalnum() else "?"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
        f'<circle cx="24" cy="24" r="24" fill="hsl({hue} 45% 40%)"/>'
        '<text x="24" y="32" font-size="24" font-family="sans-serif" '
        f'fill="#fff" text-anchor="middle">{letter}</text></svg>'
    )
