"""Shows that cmake/count_tests.py, on which the last line of ./check rests, counts failures as failures."""
import os
import subprocess
import sys
import tempfile
import unittest

COUNTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cmake", "count_tests.py")
PASSED = "=====\nAll tests passed (12 assertions in 3 test cases)\n"
FAILED = "=====\ntest cases: 5 | 3 passed | 2 failed\nassertions: 9 | 7 passed | 2 failed\n"
ABORTED = "a.cpp:1: FAILED:\n  SIGSEGV\n=====\ntest cases: 4 | 3 passed | 1 failed\nassertions: 4 | 3 passed | 1 failed\n"


def case(status, output="", inner=""):
    return f'<testcase name="t" status="{status}">{inner}<system-out>{output}</system-out></testcase>'


def skipped(message):
    return f'<skipped message="{message}"/>'


class CountTests(unittest.TestCase):
    def count(self, *cases, exit_code=0, report=None):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, "junit.xml")
            text = report if report is not None else f"<testsuite>{''.join(cases)}</testsuite>"
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = subprocess.run([sys.executable, COUNTER, path, str(exit_code)], capture_output=True, text=True,
                                    check=True)
        return tuple(int(number) for number in result.stdout.split())

    def test_test_cases_are_counted_not_programs(self):
        self.assertEqual(self.count(case("run", PASSED), case("run", PASSED)), (6, 0))
        self.assertEqual(self.count(case("fail", FAILED), case("run", PASSED), exit_code=8), (6, 2))
        self.assertEqual(self.count(case("fail", ABORTED), exit_code=8), (3, 1))

    def test_other_programs_count_as_one(self):
        self.assertEqual(self.count(case("run", "fine")), (1, 0))
        self.assertEqual(self.count(case("fail", "broken"), exit_code=8), (0, 1))

    def test_a_failed_program_whose_cases_passed_is_a_failure(self):
        self.assertEqual(self.count(case("fail", PASSED + "ERROR: LeakSanitizer"), exit_code=8), (3, 1))

    def test_a_program_without_test_cases_is_a_failure(self):
        self.assertEqual(self.count(case("run", "No tests ran\n")), (0, 1))

    def test_a_program_that_cannot_start_is_a_failure_a_skipped_one_is_not(self):
        self.assertEqual(self.count(case("notrun", inner=skipped("Unable to find executable"))), (0, 1))
        self.assertEqual(self.count(case("run", PASSED), case("notrun", inner=skipped("SKIP_RETURN_CODE=77"))), (3, 0))

    def test_an_empty_missing_or_contradicting_report_is_a_failure(self):
        self.assertEqual(self.count(), (0, 1))
        self.assertEqual(self.count(report=""), (0, 1))
        self.assertEqual(self.count(case("run", PASSED), exit_code=8), (3, 1))


if __name__ == "__main__":
    unittest.main()
