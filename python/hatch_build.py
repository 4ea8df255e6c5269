"""Puts the program into the wheel. build.py gives the file and the tag of the wheel; without them the wheel has no program."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Program(BuildHookInterface):
    def initialize(self, version, build_data):
        program = os.environ.get("H1MOCK_WHEEL_PROGRAM")
        if program:
            build_data["pure_python"] = False
            build_data["tag"] = os.environ["H1MOCK_WHEEL_TAG"]
            build_data["force_include"][program] = "h1mock/bin/h1mock"
