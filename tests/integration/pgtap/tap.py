"""Reads what a pgTAP file prints, and says all that is wrong with it."""

import re
from typing import Final

_PLAN: Final = re.compile(r"1\.\.(\d+)")
_RESULT: Final = re.compile(r"(not )?ok (\d+)(?: .*)?")


def complaints(printed: str) -> list[str]:
    """Each line that isn't ok, with what pgTAP says about it; a plan that wasn't kept, or isn't there."""
    planned: int | None = None
    results = 0
    wrong: list[str] = []
    failing = False
    for line in printed.splitlines():
        if plan := _PLAN.fullmatch(line):
            planned = int(plan[1])
        elif result := _RESULT.fullmatch(line):
            results += 1
            failing = result[1] is not None
            if failing:
                wrong.append(line)
            if "# SKIP" in line.upper() or "# TODO" in line.upper():
                wrong.append(f"left out: {line}")
            if int(result[2]) != results:
                wrong.append(f"test {result[2]} stands where {results} should")
        elif line.startswith("#") and failing:
            wrong.append(line)
    if planned is None:
        wrong.append("no plan")
    elif planned != results or not results:
        wrong.append(f"{planned} tests were planned, {results} ran")
    return wrong
