"""`./desk fuzz [--runs N] [--seed S]`: prints crashes, the slowest time and the seed; exits with 1 after a crash.

A run is repeated by its seed and number alone, whatever the number of processes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Any, Final

from supportdesk.cli.output import Meter
from supportdesk.mail.parse import parse
from supportdesk.mail.wire import decode_mail, encode_mail
from tests.fuzz import bombs, imap_texts, names
from tests.fuzz.mutate import mutated
from tests.fuzz.samples import SAMPLES
from tests.support.corpus import Corpus, NoCorpus, find_corpus

RUNS: Final = 200_000
CHUNK: Final = 1_000
SECONDS: Final = 2.0  # of the processor: another process must not make a crash of a slow mail
LARGEST_SEED: Final = 60_000


@dataclass
class Found:
    """What some runs brought: `crashes` by run number, the slowest run after its seconds, the total of seconds."""

    runs: int = 0
    crashes: dict[int, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    seconds: float = 0.0

    def __iadd__(self, other: Found) -> Found:
        self.runs += other.runs
        self.crashes |= other.crashes
        self.slowest = max(self.slowest, other.slowest)
        self.seconds += other.seconds
        return self


class OutOfTime(BaseException):
    """A mail took too long; nothing that guards the reader against a library's exceptions may catch it."""


def fuzz(seed: int, numbers: Iterable[int], seeds: Sequence[bytes]) -> Found:
    """Read one mutated mail a number, and send it through the pipe's format as the parsing child does."""
    found = Found()
    signal.signal(signal.SIGPROF, _out_of_time)
    for number in numbers:
        mail = mutated(Random(f"{seed}:{number}"), seeds)
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            read = parse(mail)
            same = decode_mail(encode_mail(read)) == read
        except (Exception, OutOfTime) as error:  # noqa: BLE001 - whatever is raised is what is looked for
            found.crashes[number] = f"{type(error).__name__}: {error}"
        else:
            if not same:
                found.crashes[number] = "what came through the pipe is another mail"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        taken = time.process_time() - start
        found.runs += 1
        found.seconds += taken
        found.slowest = max(found.slowest, (taken, number))
    return found


def seed_mails() -> list[bytes]:
    """Our own samples, and the corpus where it is at hand."""
    mails = list(SAMPLES)
    with suppress(NoCorpus):
        mails += [raw for raw in Corpus(find_corpus()).messages() if len(raw) <= LARGEST_SEED]
    return mails


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./desk fuzz", description="Mutated mails through the reader.")
    add = parser.add_argument
    add("--runs", type=int, default=RUNS, metavar="N", help=f"how many mails ({RUNS:,})")
    add("--seed", type=int, default=None, metavar="S", help="repeat a run (a new one each time)")
    add("--only", type=int, metavar="NUMBER", help="one mail of that seed, written to standard output")
    add("--bombs", action="store_true", help="complexity bombs instead, of 64 kB to 25 MB: time, growth and memory")
    add("--names", type=int, metavar="N", help="so many hostile file names instead (C07: 1,000,000)")
    add("--imap", type=int, metavar="N", help="so many texts that would be IMAP commands instead (C11: 100,000)")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else SystemRandom().randrange(1 << 32)
    if given.bombs:
        return bombs.main()
    if given.names is not None:
        return names.main(given.names, seed)
    if given.imap is not None:
        return imap_texts.main(given.imap, seed)
    if given.only is not None:
        sys.stdout.buffer.write(mutated(Random(f"{seed}:{given.only}"), seed_mails()))
        return 0
    start = time.perf_counter()
    found = Found()
    chunks = [range(first, min(first + CHUNK, given.runs)) for first in range(0, given.runs, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_load) as pool, Meter("mails") as meter:
        for some in pool.map(_fuzz_chunk, [seed] * len(chunks), chunks):
            found += some
            meter.show(found.runs, given.runs)
    for number, error in sorted(found.crashes.items())[:20]:
        print(f"crash: seed {seed} number {number}: {error}")
    took, slowest = found.slowest
    print(
        f"fuzz={found.runs} crashes={len(found.crashes)} slowest={took * 1000:.0f}ms (number {slowest}) "
        f"rate={found.runs / found.seconds:,.0f}/s/core wall={time.perf_counter() - start:.0f}s seed={seed}"
    )
    return 1 if found.crashes else 0


_seeds: list[bytes] = []


def _load() -> None:
    _seeds.extend(seed_mails())


def _fuzz_chunk(seed: int, numbers: range) -> Found:
    return fuzz(seed, numbers, _seeds)


def _out_of_time(*_: Any) -> None:
    raise OutOfTime(f"more than {SECONDS:g} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
