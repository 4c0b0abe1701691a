"""Runs every suite and prints `N passed, N failed` last.

    tests/run.py [--suites a,b] [WORD...]      only tests whose name holds one of the words

Suites: checks, unit, fuzz, e2e, asan, e2e-asan; and, only when they are named, tsan and e2e-tsan
(docs/decisions/0008). Each must have been built. A suite that runs no test although no word was
given counts as failed: a check that is skipped is a defect.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUZZ_SECONDS = 5
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:halt_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
SUITES = ["checks", "unit", "fuzz", "e2e", "asan", "e2e-asan"]
RACE_SUITES = ["tsan", "e2e-tsan"]
# They wait for sockets and clocks most of the time.
SIDE_BY_SIDE = ["e2e", "e2e-asan"]


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failures: list[str] = dataclasses.field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failures += other.failures


def command(name: str, *words: str) -> Outcome:
    """One command as one test."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        return Outcome(passed=1)
    return Outcome(failures=[f"{name}\n{(done.stdout + done.stderr)[-6000:]}"])


def checks(words: list[str]) -> Outcome:
    all_checks = {
        "formatting": ("bash", "-c",
                       "git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run -Werror"),
        "includes-follow-the-plan": (sys.executable, "src/architecture_test.py"),
        "repository-is-tidy": (sys.executable, "tests/tidy.py"),
        "changes-of-instructions-are-reported": (sys.executable, "bench/instructions_test.py"),
    }
    outcome = Outcome()
    for name, call in all_checks.items():
        if selected(name, words):
            outcome.add(command(name, *call))
    return outcome


def selected(name: str, words: list[str]) -> bool:
    return not words or any(word.lower() in name.lower() for word in words)


def unit_program(program: pathlib.Path, words: list[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        gtest_filter = ":".join(f"*{word}*" for word in words) or "*"
        done = subprocess.run(
            [program, f"--gtest_filter={gtest_filter}", f"--gtest_output=json:{report}"],
            cwd=folder, capture_output=True, text=True, env=os.environ | SANITIZER_OPTIONS)
        outcome = Outcome()
        if report.exists():
            for suite in json.loads(report.read_text())["testsuites"]:
                for test in suite["testsuite"]:
                    name = f"{program.name} {test['classname']}.{test['name']}"
                    if test.get("failures"):
                        outcome.failures.append(
                            name + "\n" + "\n".join(f["failure"] for f in test["failures"]))
                    elif test.get("result") == "SKIPPED":
                        outcome.failures.append(name + "\nwas skipped")
                    else:
                        outcome.passed += 1
        if done.returncode != 0 and not outcome.failures:
            outcome.failures.append(
                f"{program.name} ended with {done.returncode}\n{(done.stdout + done.stderr)[-8000:]}")
        return outcome


def unit(preset: str, words: list[str]) -> Outcome:
    programs = sorted((ROOT / "build" / preset / "src").rglob("*_test"))
    programs = [p for p in programs if p.is_file() and os.access(p, os.X_OK)]
    outcome = Outcome()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda p: unit_program(p, words), programs):
            outcome.add(result)
    return outcome


def hot_path(words: list[str]) -> Outcome:
    """That the work whose instructions `./dev bench` counts can be done."""
    name = "hot-path-runs"
    if not selected(name, words):
        return Outcome()
    return command(name, "env", str(ROOT / "build/dev/bench/gatehouse_hot_path"))


def fuzz(words: list[str]) -> Outcome:
    """Each target over its corpus and for some seconds on."""
    outcome = Outcome()
    programs = sorted((ROOT / "build/asan/tests/fuzz").glob("fuzz_*"))
    programs = [p for p in programs if p.is_file() and os.access(p, os.X_OK)]

    def run(program: pathlib.Path) -> Outcome:
        corpus = ROOT / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_")
        with tempfile.TemporaryDirectory() as found:
            return command(program.name, str(program), f"-max_total_time={FUZZ_SECONDS}",
                           f"-artifact_prefix={found}/", found, str(corpus))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(run, [p for p in programs if selected(p.name, words)]):
            outcome.add(result)
    return outcome


def end_to_end(preset: str, words: list[str]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                f"--junitxml={report}", "tests/e2e"]
        if words:
            call += ["-k", " or ".join(word.replace("-", "_") for word in words)]
        environment = os.environ | SANITIZER_OPTIONS | {
            "GATEHOUSE_BINARY": str(ROOT / "build" / preset / "gatehouse"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, env=environment)
        outcome = Outcome()
        if report.exists():
            for case in ElementTree.parse(report).iter("testcase"):
                name = f"e2e {preset} {case.get('classname')}::{case.get('name')}"
                faults = [e for e in case if e.tag in ("failure", "error", "skipped")]
                if faults:
                    outcome.failures.append(
                        name + "\n" + "\n".join((e.text or e.get("message") or "")[-6000:]
                                                for e in faults))
                else:
                    outcome.passed += 1
        if done.returncode not in (0, 5) and not outcome.failures:
            outcome.failures.append(f"e2e {preset}\n{(done.stdout + done.stderr)[-6000:]}")
        return outcome


def run_suite(name: str, words: list[str]) -> Outcome:
    match name:
        case "checks":
            return checks(words)
        case "unit":
            outcome = unit("dev", words)
            outcome.add(hot_path(words))
            return outcome
        case "asan" | "tsan":
            return unit(name, words)
        case "fuzz":
            return fuzz(words)
        case "e2e":
            return end_to_end("dev", words)
        case "e2e-asan" | "e2e-tsan":
            return end_to_end(name.removeprefix("e2e-"), words)
    raise SystemExit(f"no suite {name}; there are {', '.join(SUITES + RACE_SUITES)}")


def timed(name: str, words: list[str]) -> Outcome:
    started = time.monotonic()
    outcome = run_suite(name, words)
    if outcome.passed + len(outcome.failures) == 0 and not words:
        outcome.failures.append(f"suite {name}\nran no test")
    for failure in outcome.failures:
        print(f"FAILED {failure}\n")
    print(f"suite {name}: {outcome.passed} good, {len(outcome.failures)} bad "
          f"in {time.monotonic() - started:.0f} s", flush=True)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    total = Outcome()
    names = arguments.suites.split(",")
    for name in names:
        if name not in SIDE_BY_SIDE:
            total.add(timed(name, arguments.words))
    with ThreadPoolExecutor() as pool:
        for outcome in pool.map(lambda name: timed(name, arguments.words),
                                [name for name in names if name in SIDE_BY_SIDE]):
            total.add(outcome)
    for failure in total.failures:
        print("FAILED", failure.splitlines()[0])
    print(f"{total.passed} passed, {len(total.failures)} failed")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
