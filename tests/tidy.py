"""Holds the repository to its own rules, as far as a program can see them."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_LINES = 700
TEXT = {".h", ".cc", ".py", ".md", ".yaml", ".yml", ".txt", ".cmake", ".js", ".css", ".html", ""}
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def tracked() -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]


def problems_of(file: pathlib.Path) -> list[str]:
    where = file.relative_to(ROOT)
    if "corpus" in where.parts or "vectors" in where.parts or file.suffix not in TEXT:
        return []
    text = file.read_text(errors="replace")
    found = []
    if file.suffix in (".h", ".cc") and not file.name.endswith("_test.cc"):
        if text.count("\n") > FILE_LINES:
            found.append(f"{where}: over {FILE_LINES} lines: has it two reasons to exist?")
    if file.suffix == ".h":
        if not text.startswith("//"):
            found.append(f"{where}: the header does not begin with what it is for")
        if "#pragma once" not in text:
            found.append(f"{where}: no #pragma once")
    if file.suffix in (".h", ".cc") and re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text):
        found.append(f"{where}: holds a note of work undone")
    if file.suffix == ".md":
        for link in LINK.findall(text):
            if not (file.parent / link).exists():
                found.append(f"{where}: links to {link}, which is not there")
    if text and not text.endswith("\n"):
        found.append(f"{where}: does not end with a line's end")
    return found


def dependencies_are_documented() -> list[str]:
    """Each package that the build takes a library from is named in docs/dependencies.md."""
    documented = (ROOT / "docs/dependencies.md").read_text()
    packages = (ROOT / "packages.txt").read_text().splitlines()
    names = [line.split()[0] for line in packages if line and line[0] not in "#["]
    return [f"docs/dependencies.md: does not name {name}" for name in names
            if f"`{name}`" not in documented]


if __name__ == "__main__":
    problems = [p for file in tracked() if file.is_file() for p in problems_of(file)]
    problems += dependencies_are_documented()
    print("\n".join(problems) or "tidy")
    sys.exit(1 if problems else 0)
