"""Links of all real pages against html5lib: ``python -m benchmarks.truth.links`` prints all differences and a table."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

from benchmarks.truth.reference import PAGES, compare, page_paths


def main() -> int:
    """Print the table; return 1 where there is a difference, 69 where the pages are absent."""
    paths = page_paths()
    if not paths:
        print(f"no pages at {PAGES}")
        return 69
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(compare, paths, chunksize=4))
    for result in results:
        for side, seen in (("html5lib", result.only_reference), ("ours", result.only_ours)):
            for link, count in seen.items():
                print(f"{result.path.relative_to(PAGES)}  only {side} ({count}): {link}")
    alike = sum(result.alike for result in results)
    missed = sum(result.only_reference.total() for result in results)
    added = sum(result.only_ours.total() for result in results)
    print(f"pages {len(results)}   links alike {alike}   only html5lib {missed}   only ours {added}")
    return 1 if missed or added else 0


if __name__ == "__main__":
    raise SystemExit(main())
