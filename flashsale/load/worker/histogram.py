"""A log-linear histogram, as HDR histograms are: bounded memory, one precision at every size.

Values are whole microseconds. Below 256 each has a bucket of its own; above, each doubling is cut
into 128 buckets, so a bucket is never wider than 1/128 of its values and its middle never further
than 0.4 % from them. An hour needs bucket 3,300: that bounds the memory whatever the rate.

Counts are plain dicts from bucket to count, because they travel between processes and are merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SUB_BITS = 7
LINEAR = 2 << SUB_BITS  # below this a bucket holds exactly one value
LONGEST = 3_600_000_000  # microseconds; longer ones count as an hour


def bucket(micros: int) -> int:
    """Return the bucket of a duration in microseconds; negative ones count as 0."""
    if micros < LINEAR:
        return max(0, micros)
    micros = min(micros, LONGEST)
    shift = micros.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (micros >> shift)


def middle(index: int) -> float:
    """Return the middle of a bucket in microseconds."""
    if index < LINEAR:
        return float(index)
    shift = (index >> SUB_BITS) - 1
    lowest = (index - (shift << SUB_BITS)) << shift
    return lowest + ((1 << shift) - 1) / 2


def percentiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[float]:
    """Return the smallest duration, in microseconds, that each share of the values does not exceed.

    Args:
        shares: in rising order, each above 0 and at most 1; 0.99 is the 99th percentile.

    Returns:
        One figure a share, within 0.4 % of the exact one; zeros when nothing was counted.
    """
    total, seen, values = sum(counts.values()), 0, []
    buckets = iter(sorted(counts.items()))
    index = 0
    for share in shares:
        while seen < share * total:
            index, count = next(buckets)
            seen += count
        values.append(middle(index))
    return values
