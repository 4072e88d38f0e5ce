"""Shows that run_blocks.py runs what it should, and that it can fail."""
import os
import subprocess
import sys
import tempfile
import unittest

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_blocks.py")
FENCE = "```"


def block(commands, mark="sh"):
    return f"{FENCE}{mark}\n{commands}\n{FENCE}\n"


class RunBlocks(unittest.TestCase):
    def run_pages(self, *texts):
        with tempfile.TemporaryDirectory() as root:
            program = os.path.join(root, "program")
            os.mkdir(program)
            with open(os.path.join(program, "kappa"), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho kappa ran\n")
            os.chmod(file.name, 0o755)
            pages = []
            for number, text in enumerate(texts):
                pages.append(os.path.join(root, f"{number}.md"))
                with open(pages[-1], "w", encoding="utf-8") as file:
                    file.write(text)
            return subprocess.run([sys.executable, RUNNER, program, os.path.join(root, "scratch"), root, *pages],
                                  capture_output=True, text=True, check=False)

    def test_the_program_is_on_the_path(self):
        result = self.run_pages("# A\n" + block("kappa"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("kappa ran", result.stdout)

    def test_blocks_of_a_page_share_a_directory_pages_do_not(self):
        self.assertEqual(self.run_pages(block("echo 1 > a") + "text\n" + block("test -f a")).returncode, 0)
        self.assertNotEqual(self.run_pages(block("echo 1 > a"), block("test -f a")).returncode, 0)

    def test_a_failing_command_fails_even_before_others_and_in_a_pipe(self):
        self.assertNotEqual(self.run_pages(block("false\ntrue")).returncode, 0)
        self.assertNotEqual(self.run_pages(block("false | cat")).returncode, 0)
        self.assertNotEqual(self.run_pages(block("kapppa run")).returncode, 0)

    def test_the_failure_names_page_and_line(self):
        self.assertIn("0.md:3", self.run_pages("# A\n\n" + block("exit 7")).stderr)

    def test_other_blocks_are_not_run(self):
        text = block("exit 1", "sh no-run") + block("exit 1", "sql") + block("exit 1", "") + block("true")
        self.assertEqual(self.run_pages(text).returncode, 0)

    def test_nothing_to_run_unclosed_and_unknown_marks_fail(self):
        self.assertNotEqual(self.run_pages("# A\n").returncode, 0)
        self.assertNotEqual(self.run_pages(f"{FENCE}sh\ntrue\n").returncode, 0)
        self.assertNotEqual(self.run_pages(block("true", "sh norun")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
