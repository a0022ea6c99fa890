"""junit.py counts|failures REPORT: what a report in JUnit's format says.

`counts` prints the numbers of tests that passed and that failed, `failures` the names of those that failed. A report that
is missing or broken, as that of a run that was ended half-way, has neither.
"""

import sys
import xml.etree.ElementTree as xml


def cases(report):
    """Each test of the report that was run, and whether it failed."""
    for case in xml.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            failed = case.find("failure") is not None or case.find("error") is not None
            yield f"{case.get('classname')} {case.get('name')}", failed


def main(what, report):
    try:
        found = list(cases(report))
    except (OSError, xml.ParseError):
        found = []
    bad = [name for name, failed in found if failed]
    if what == "counts":
        print(len(found) - len(bad), len(bad))
    else:
        print("".join(f"  {name}\n" for name in bad), end="")


main(*sys.argv[1:])
