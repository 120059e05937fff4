# SPDX-License-Identifier: MIT
"""Removes what the bake tests left in memory, unless KILN_KEEP_WORLD is set (benchmarks follow)."""

import os
import shutil

import world

if not os.environ.get("KILN_KEEP_WORLD"):
    shutil.rmtree(world.FAST, ignore_errors=True)
