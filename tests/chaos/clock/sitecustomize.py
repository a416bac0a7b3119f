"""A wrong clock for one process: Python imports this when it starts, if this folder is on PYTHONPATH.

TENTHS_CLOCK_AHEAD: seconds; time.time, datetime.now and their kin are so much ahead (negative: behind), and go on. What
doesn't ask Python for the time of day is left alone: monotonic clocks, and what C libraries look up themselves.
"""

import os
import time

try:
    import time_machine

    time_machine.travel(time.time() + float(os.environ["TENTHS_CLOCK_AHEAD"]), tick=True).start()
except BaseException:  # noqa: BLE001  whatever it is
    # Python goes on without what fails here: then the clock would be right, and nobody would know.
    os._exit(1)
