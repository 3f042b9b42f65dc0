"""Units of time and kinds of arrays that all parts of the simulation share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

HOUR_S, DAY_S, WEEK_S = 3_600, 86_400, 604_800
LAST_MINUTE_S, LAST_SECOND_S = 23 * HOUR_S + 59 * 60, DAY_S - 1
