"""Fixes: what can be done about a finding without asking anybody. One module for each, of its name.

A module has `fix(label, rows, region)`, which gives the changed label, its rows in the same order, and the
rows that are to go; and `SAFE`: whether it leaves classes and ids alone.
"""
