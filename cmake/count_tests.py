"""Counts what a CTest run did: count_tests.py JUNIT_XML CTEST_EXIT_CODE prints "<passed> <failed>".

A Catch2 program counts as its test cases, any other test as one. Details go to stderr. A test that was not run because
it asked to be skipped counts as neither; one that could not be started, or ran no test case at all, counts as failed.
"""
import re
import sys
import xml.etree.ElementTree as xml

ALL_PASSED = re.compile(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)", re.MULTILINE)
SOME_FAILED = re.compile(r"^test cases:\s*(\d+)\s*\|.*", re.MULTILINE)


def catch_counts(output):
    """(passed, failed) as the last Catch2 summary in the output says, or None."""
    summaries = ALL_PASSED.findall(output)
    if summaries:
        return int(summaries[-1]), 0
    lines = list(SOME_FAILED.finditer(output))
    if not lines:
        return None
    line = lines[-1].group(0)
    failed = re.search(r"(\d+) failed\b(?! as expected)", line)
    failed = int(failed.group(1)) if failed else 0
    return int(lines[-1].group(1)) - failed, failed


def count(case):
    name, output = case.get("name"), case.findtext("system-out") or ""
    status, skipped = case.get("status"), case.find("skipped")
    if status == "disabled" or (skipped is not None and "SKIP_" in skipped.get("message", "")):
        print(f"skipped: {name}", file=sys.stderr)
        return 0, 0
    if status == "run" and "No tests ran" in output:
        print(f"failed: {name} ran no test case", file=sys.stderr)
        return 0, 1
    passed, failed = catch_counts(output) or (0, 0)
    if status == "run":
        return (passed, failed) if passed + failed else (1, 0)
    print(f"failed: {name}", file=sys.stderr)
    return passed, max(failed, 1)


def main(report, exit_code):
    try:
        cases = list(xml.parse(report).getroot().iter("testcase"))
    except (OSError, xml.ParseError) as error:
        print(f"count_tests: {report}: {error}", file=sys.stderr)
        cases = []
    counts = [count(case) for case in cases]
    passed, failed = sum(c[0] for c in counts), sum(c[1] for c in counts)
    if failed == 0 and (exit_code != 0 or not cases):
        print(f"failed: ctest ended with {exit_code} after {len(cases)} tests", file=sys.stderr)
        failed = 1
    print(passed, failed)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
