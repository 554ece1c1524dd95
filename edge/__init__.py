"""Undertone's box: hearing, judging, telling. Start reading at edge.__main__, then edge.line."""

__version__ = "0.1.0"
