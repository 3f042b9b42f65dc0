"""The cells in which two reports differ, as CSV."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from storewatch.formats.harmless import harmless

_AT_ONCE = 50_000


def comparison_csv(differing: pl.DataFrame) -> Iterator[bytes]:
    """Chunks of the CSV, from rows as `services.differing_cells` has them."""
    texts = pl.col("store_id", "theirs", "ours")
    for number, part in enumerate(differing.iter_slices(_AT_ONCE) if len(differing) else [differing]):
        safe = part.with_columns(harmless(texts))
        yield safe.write_csv(include_header=number == 0, float_precision=6).encode()
