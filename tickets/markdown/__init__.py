"""Render messages as HTML: Markdown where it is clearly meant, everything else as typed (docs/messages.md)."""

from tickets.markdown.rendering import RENDERER_VERSION, render

__all__ = ["RENDERER_VERSION", "render"]
