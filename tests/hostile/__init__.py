"""What a hostile web, hostile state and hostile people do to linkatlas: nothing. ``docs/bad-input.md`` is its table."""
