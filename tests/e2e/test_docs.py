"""What the documents tell people to type exists."""

import pathlib
import re
import subprocess

import pytest
from test_start_failures import run

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"`gatehouse ([^`]*)`")
WORD = re.compile(r"[a-z][a-z-]*$")


def documented_commands() -> list[str]:
    """The leading words of each command, before options and arguments: "config check"."""
    found = set()
    for document in DOCUMENTS:
        for text in COMMAND.findall(document.read_text()):
            words = []
            for word in text.replace("-c FILE ", "").replace("--data DIR ", "").split():
                if not WORD.match(word):
                    break
                words.append(word)
            if words and words[0] != "completion":
                found.add(" ".join(words))
    return sorted(found)


@pytest.mark.parametrize("command", documented_commands())
def test_a_documented_command_exists(command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0, done.stderr


def test_dev_lists_what_the_documents_call():
    called = {name for document in DOCUMENTS
              for name in re.findall(r"\./dev ([a-z]+)", document.read_text())}
    listed = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True).stderr
    assert called
    for name in called:
        assert re.search(rf"^  {name}\b", listed, re.MULTILINE), name


def test_dev_refuses_a_command_that_it_does_not_have():
    done = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and "nonsense" in done.stderr
