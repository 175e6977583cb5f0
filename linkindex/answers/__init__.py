"""One question per file. Each takes an open index and a target and yields typed rows, the most telling first."""
