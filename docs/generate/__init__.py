"""Generates the tables of docs/reference/ from the code.

`make reference` writes them into the pages, between `<!-- generated: NAME -->` and `<!-- end -->`. `make lint`
compares.
"""
