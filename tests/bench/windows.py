#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other windows out of azure-v1's one: windows.py vms_dev.csv.gz FOLDER

Halves in time, the halves swapped, batches drawn anew with replacement, other amounts of memory:
what a rule was picked on is one window only, and these show whether it holds on others.
"""

import gzip
import math
import random
import sys

HALF = 150000


def read(path):
    batches, last = [], None
    with gzip.open(path, "rt") as file:
        head = file.readline()
        for line in file:
            row = line.rstrip("\n").split(",")
            if (row[0], row[1]) != last:
                batches.append([])
                last = (row[0], row[1])
            batches[-1].append(row)
    return head, batches


def write(path, head, batches):
    with gzip.open(path, "wt") as file:
        file.write(head)
        for number, batch in enumerate(batches):
            for row in batch:
                file.write(",".join([str(number)] + row[1:]) + "\n")


def poisson(draw):
    count, product = 0, draw.random()
    while product > math.exp(-1):
        count += 1
        product *= draw.random()
    return count


def moved(batch, by):
    return [
        [r[0], str(int(r[1]) + by), str(int(r[2]) + by) if int(r[2]) >= 0 else "-1"] + r[3:]
        for r in batch
    ]


def with_memory(batch, factor):
    return [r[:5] + [str(int(int(r[5]) * factor))] + r[6:] for r in batch]


def main():
    head, batches = read(sys.argv[1])
    early = [b for b in batches if int(b[0][1]) < HALF]
    late = [b for b in batches if int(b[0][1]) >= HALF]
    draw = random.Random(7)
    windows = {
        "first-half": early,
        "second-half": late,
        "swapped": [moved(b, -HALF) for b in late] + [moved(b, HALF) for b in early],
        "memory-x1.5": [with_memory(b, 1.5) for b in batches],
        "memory-mixed": [with_memory(b, 2 if draw.random() < 0.35 else 1) for b in batches],
    }
    for seed in 1, 2, 3:
        draw = random.Random(seed)
        windows[f"resampled-{seed}"] = [b for b in batches for _ in range(poisson(draw))]
    for name, window in windows.items():
        write(f"{sys.argv[2]}/{name}.csv.gz", head, window)


main()
