"""`python wait.py RESULT COMMAND…`: runs a command; writes its seconds, peak memory and exit code to RESULT.

Standard library only, and run for itself: a child's peak memory, as the kernel tells it, begins with that
of the process that forked it, so that process must be small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[2:])
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    result = {
        "seconds": seconds,
        "peak_mb": usage.ru_maxrss * unit / 1e6,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "code": os.waitstatus_to_exitcode(status),
    }
    Path(sys.argv[1]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
