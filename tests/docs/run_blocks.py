"""Runs the shell blocks of Markdown pages: run_blocks.py PROGRAM_DIR SCRATCH_DIR SOURCE_DIR PAGE...

A block is what stands between ```sh and ```. The blocks of a page run in order, each with `bash -euo pipefail`, in one
empty directory per page that holds a link `examples` to the examples, with PROGRAM_DIR first on PATH. Blocks marked
```sh no-run are skipped. Fails if a command fails, a block takes longer than two minutes, or no page held a block to run.
"""
import os
import shutil
import subprocess
import sys

TIMEOUT_S = 120


def blocks_of(text):
    """(line, shell text) of each block to run."""
    blocks, start, opened = [], None, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if opened:
                if start is not None:
                    blocks.append((start, "\n".join(lines) + "\n"))
                opened, start = False, None
            else:
                words = line[3:].split()
                opened, lines = True, []
                start = number if words[:1] == ["sh"] and "no-run" not in words else None
                if words[:1] == ["sh"] and len(words) > 1 and words != ["sh", "no-run"]:
                    raise SystemExit(f"line {number}: unknown mark: {line}")
        elif opened:
            lines.append(line)
    if opened:
        raise SystemExit("a block is not closed")
    return blocks


def run_page(page, directory, source, environment):
    """How many blocks ran; exits at the first that fails."""
    with open(page, encoding="utf-8") as file:
        blocks = blocks_of(file.read())
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    os.symlink(os.path.join(source, "examples"), os.path.join(directory, "examples"))
    for line, text in blocks:
        print(f"== {page}:{line}", flush=True)
        try:
            result = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=directory, env=environment,
                                    stdin=subprocess.DEVNULL, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"{page}:{line}: the block took longer than {TIMEOUT_S} s") from None
        if result.returncode != 0:
            raise SystemExit(f"{page}:{line}: the block ended with {result.returncode}")
    return len(blocks)


def main(program_dir, scratch, source, *pages):
    environment = dict(os.environ, PATH=program_dir + os.pathsep + os.environ["PATH"])
    ran = 0
    for number, page in enumerate(pages):
        ran += run_page(page, os.path.join(scratch, str(number)), source, environment)
    if ran == 0:
        raise SystemExit("no page holds a block to run")
    print(f"{ran} blocks of {len(pages)} pages ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
