"""The fuzzing of ``fuzz.py`` guided by coverage, where atheris is installed (it is no dependency of ours):

``python -m tests.hostile.guided TARGET FOLDER [libFuzzer's options, such as -max_total_time=600]``; FOLDER takes the inputs
that reach something new, beside the corpus.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["crawler", "interfaces", "linkindex", "protego", "settings"]):
    from tests.hostile import fuzz


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    target, folder, *options = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(fuzz.corpus(target)):
        (Path(folder) / f"corpus-{number}").write_bytes(data)
    atheris.Setup([sys.argv[0], f"-max_len={fuzz.LARGEST}", "-timeout=60", *options, folder], fuzz.TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
