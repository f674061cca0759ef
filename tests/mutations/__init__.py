"""Clean captures of which exactly one property is broken: for every rule a mutation that makes it fire.

    python -m tests.mutations          the kill table
    python -m tests.mutations srtp     of one area

An area's module holds its scenarios (functions that make a clean capture, each property a keyword argument) and its
MUTATIONS, which are data: the scenario, the arguments that are changed, the rules that must fire, and those that follow
from it as their pages say. Nothing else may fire that did not on the clean capture.
"""
