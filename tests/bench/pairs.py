# SPDX-License-Identifier: MIT
"""Two programs that do the same work, run in turns, so that whatever else the machine does meets both."""

import os
import resource
import statistics
import subprocess
import time


def run(command, **options):
    """(seconds by the clock, seconds of all processors) of a program that must succeed."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stderr=subprocess.PIPE, **options)
    seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(ours, theirs, rounds=5):
    """Runs both (functions of a round's number that return run()'s) in turns, in the other order each
    time, and returns the median ratios of ours to theirs: by the clock and of the processors."""
    pairs = []
    for number in range(rounds):
        order = [ours, theirs] if number % 2 == 0 else [theirs, ours]
        results = {each: each(number) for each in order}
        pairs.append((results[ours], results[theirs]))
        print(f"  {number + 1}: {results[ours][0]:6.2f} s to {results[theirs][0]:6.2f} s, "
              f"processors {results[ours][1]:6.2f} s to {results[theirs][1]:6.2f} s", flush=True)
    return tuple(statistics.median(a[i] / b[i] for a, b in pairs) for i in (0, 1))


def cores():
    return len(os.sched_getaffinity(0))
