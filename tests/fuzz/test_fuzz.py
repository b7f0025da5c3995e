"""The parsers of what strangers write, under a fuzzer: no crash, no input is slow."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import given, note, settings
from hypothesis import strategies as st
from scales import scaled

HERE = Path(__file__).parent
#: Seconds for each target in `make soak`; read before a test hides the environment.
SECONDS = int(os.environ.get("OAUTHMAGIC_FUZZ_SECONDS", "60"))
#: Where what the fuzzer found worth keeping is kept from one run to the next.
KEPT = os.environ.get("OAUTHMAGIC_FUZZ_CORPUS", "")
MOST_MEGABYTES = 256
SEEDS = {name: list(seeds()) for name, (_, seeds) in TARGETS.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_survived(name):
    """The seeds are the entries of the data files, and lines and cells people type."""
    target, _ = TARGETS[name]

    for seed in SEEDS[name]:
        target(seed)

    assert len(SEEDS[name]) >= 9


#: What parsers stumble over.
PIECES = [
    *(
        b"",
        b'"',
        b"'",
        b"\\",
        b",",
        b"=",
        b" ",
        b"\r\n",
        b"\n",
        b"\0",
        b"\t",
        b"%",
        b"#",
    ),
    *(b"{", b"}", b"{{", b"}}", b"[", b"]", b":", b";", b"@", b"/", b"//", b"?", b"&"),
    *(b"--", b"-", b"_", b"$", b"`", b"$(id)", b"!ls", b"{x.__class__}", b"%s", b"%00"),
    *(b"NaN", b"1e999", b"-1", b"99999999999999999999", b"null", b"true", b"\\ud800"),
    *(
        each.encode()
        for each in ("é", "\u202e", "\u0130", "\uff11", "\ufeff", "\U000e0041")
    ),
    *(b"\xff", b"\xed\xa0\x80", b"\x1b[31m", b"<script>", b"error", b"Bearer", b"SCA"),
]


def mutated(seeds, chance):
    """Return a seed that was cut, doubled, crossed with another or changed."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(0, 4)):
        at = chance.randint(0, len(data))
        end = at + chance.choice((0, 0, 1, 1, 2, 12))
        other = chance.choice(seeds)
        begin = chance.randint(0, len(other))
        data[at:end] = chance.choice(
            (
                chance.choice(PIECES),
                chance.choice(PIECES),
                chance.randbytes(chance.randint(1, 4)),
                other[begin : begin + 40],
                data[at : at + 20] * 2,
            )
        )
    return bytes(data)


#: Random token responses are promised in this number, others in a smaller one.
MOST = {"token_response": scaled(5_000, 100_000), "magic_line": scaled(5_000, 50_000)}


@pytest.mark.parametrize("name", TARGETS)
def test_every_mutation_of_a_seed_is_survived(name, figure):
    """Property: what is nearly right is read or refused, like everything else."""
    target, _ = TARGETS[name]
    # A seed of a megabyte teaches nothing more than its beginning.
    seeds = [seed for seed in SEEDS[name] if len(seed) < 4096]
    most = MOST.get(name, scaled(1_000, 50_000))

    # How long an input takes is judged by its CPU time, under the fuzzer.
    @settings(max_examples=most, deadline=None)
    @given(st.integers(0, 2**64))
    def survives(number):
        # Drawing each change from hypothesis itself would take ten times as long.
        data = mutated(seeds, random.Random(number))  # noqa: S311 - to be repeated
        note(data)
        target(data)

    survives()

    figure(f"random inputs, {name}", f"{most}, untyped errors 0")


@pytest.mark.soak
@pytest.mark.usefixtures("needs_atheris")
@pytest.mark.parametrize("name", TARGETS)
def test_fuzzing_finds_nothing(name, tmp_path, figure):
    """No crash, at most 256 MB, no input above one second of CPU."""
    corpus = Path(KEPT) / name if KEPT else tmp_path / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        if len(seed) <= 4096:
            (corpus / f"seed-{number}").write_bytes(seed)

    done = subprocess.run(
        [
            *(sys.executable, HERE / "fuzz_one.py", name, corpus),
            f"-max_total_time={SECONDS}",
            f"-rss_limit_mb={MOST_MEGABYTES}",
            "-timeout=10",
            "-max_len=4096",
            "-print_final_stats=1",
            f"-artifact_prefix={tmp_path}/",
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS + 120,
    )

    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    covered = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr)[-1]
    slowest = [json.loads(line) for line in done.stdout.splitlines() if line[0] == "{"]
    assert int(stats["peak_rss_mb"]) <= MOST_MEGABYTES
    figure(
        f"fuzzing {name} for {SECONDS} s",
        f"{stats['number_of_executed_units']} inputs, "
        f"{stats['average_exec_per_sec']} a second, edges {covered[0]}, "
        f"features {covered[1]}, slowest {slowest[-1]['slowest']} s, "
        f"RSS {stats['peak_rss_mb']} MB, crashes 0",
    )
