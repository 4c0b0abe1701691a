"""Holds the #includes of src/ against the house's plan: arrows point down, and only where listed."""

import pathlib
import re
import sys

USES = {
    "base": [],
    "crypto": ["base"],
    "http": ["base"],
    "jose": ["crypto", "base"],
    "config": ["http", "base"],
    "oauth": ["jose", "http", "crypto", "base"],
    "store": ["base"],
    "net": ["http", "base"],
    "gateway": ["net", "http", "config", "base"],
    "gatekeeper": ["oauth", "jose", "http", "store", "config", "crypto", "base"],
    "identity": ["oauth", "jose", "http", "store", "config", "crypto", "base"],
    "console": ["http", "store", "config", "base"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def violations(source: pathlib.Path) -> list[str]:
    found = []
    for file in sorted(source.rglob("*")):
        if file.suffix not in (".h", ".cc"):
            continue
        folder = file.relative_to(source).parts[0]
        if folder not in USES:
            continue
        for include in INCLUDE.findall(file.read_text()):
            target = include.split("/")[0]
            if not (source / include).is_file():
                found.append(f"{file}: \"{include}\" is not a path below src/")
            elif target != folder and target not in USES[folder]:
                found.append(f"{file}: {folder} may not include {target} (\"{include}\")")
    return found


if __name__ == "__main__":
    problems = violations(pathlib.Path(__file__).parent)
    print("\n".join(problems) or "includes follow the plan")
    sys.exit(1 if problems else 0)
