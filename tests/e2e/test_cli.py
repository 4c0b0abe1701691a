"""The commands of the binary."""

import json
import pathlib
import subprocess

import pytest
from deployment import BINARY
from ports import free_port
from test_start_failures import run


def test_version():
    done = run("version")
    assert done.returncode == 0 and done.stdout.startswith("gatehouse ")


@pytest.mark.parametrize("words", [
    [], ["serve"], ["gateway"], ["gateway", "serve"], ["gatekeeper", "serve"], ["identity", "serve"],
    ["demo"], ["config"], ["config", "check"], ["config", "show"], ["config", "schema"],
    ["config", "docs"], ["route"], ["route", "explain"], ["user"], ["user", "add"], ["user", "list"],
    ["user", "passwd"], ["version"],
    ["completion"]], ids=" ".join)
def test_help_for_each(words):
    done = run(*words, "--help")
    assert done.returncode == 0 and "Usage:" in done.stdout


@pytest.mark.parametrize("words", [[], ["nonsense"], ["demo", "--nonsense"], ["gateway"]],
                         ids=["nothing", "command", "option", "role-without-verb"])
def test_a_wrong_command_line(words):
    done = run(*words)
    assert done.returncode == 2 and done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    done = run("completion", shell)
    assert done.returncode == 0 and "passwd" in done.stdout


def test_bash_completes_commands_and_options():
    script = run("completion", "bash").stdout
    ask = script + '\nCOMP_WORDS=(gatehouse config sh); COMP_CWORD=2; _gatehouse; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["show"]


def test_the_schema_is_json():
    schema = json.loads(run("config", "schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")


def test_the_docs_are_the_repository_s():
    documented = pathlib.Path(__file__).parents[2] / "docs/configuration.md"
    assert run("config", "docs").stdout == documented.read_text()


def test_a_dangerous_setting_is_warned_of_and_passes(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text("gateway:\n  authorizer: {kind: http, url: 'http://a:1', failure_mode_allow: true}\n")
    done = run("config", "check", path)
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {path}:2:")
    assert "gateway.authorizer.failure_mode_allow: while the authorizer fails" in done.stderr


def test_show_hides_secrets_and_loads_again(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text("gatekeeper:\n  client_secret: very-secret-indeed\n  session_max_age: 2h\n")
    shown = run("config", "show", path)
    assert shown.returncode == 0 and "very-secret-indeed" not in shown.stdout
    again = tmp_path / "again.yaml"
    again.write_text(shown.stdout)
    assert run("config", "check", again).returncode == 0


def test_a_variable_overrides_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEHOUSE_GATEKEEPER_REDIRECT_STATUS", "303")
    assert "redirect_status: 303" in run("config", "show").stdout


def test_users(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text(f"store:\n  path: {tmp_path}/users.db\n")

    def user(*words, stdin=""):
        return run("user", "-c", path, *words, input=stdin)

    assert user("add", "Bob@Example.com", "--group", "a", stdin="a long enough password\n").returncode == 0
    assert user("add", "bob@example.com", stdin="a long enough password\n").returncode == 1
    assert user("add", "no-address", stdin="a long enough password\n").returncode == 1
    assert user("add", "carol@example.com", stdin="short\n").returncode == 1
    assert user("list").stdout == "bob@example.com\n"
    assert json.loads(user("list", "--json").stdout)["groups"] == ["a"]
    assert user("passwd", "bob@example.com", stdin="another long password\n").returncode == 0
    assert user("passwd", "nobody@example.com", stdin="another long password\n").returncode == 1


def test_config_check_says_that_a_file_is_good(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text(f"gateway:\n  listen:\n    - address: 127.0.0.1:{free_port()}\n")
    done = run("config", "check", path)
    assert done.returncode == 0, done.stderr


def test_explain_takes_the_objects_of_its_ambassador(tmp_path, monkeypatch):
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(
        "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: blue}\n"
        "spec: {hostname: '*', prefix: /a/, service: app, ambassador_id: [blue]}\n")
    path = tmp_path / "gatehouse.yaml"
    path.write_text(f"gateway: {{manifests: '{folder}'}}\n")

    def explain(*words: str) -> int:
        return run("route", "explain", *words, "GET", "/a/b").returncode

    for source in (("--manifests", folder), ("-c", path)):
        assert explain(*source) == 1
        assert explain(*source, "--ambassador-id", "blue") == 0
    monkeypatch.setenv("AMBASSADOR_ID", "blue")
    assert explain("--manifests", folder) == 0
    assert explain("--manifests", folder, "--ambassador-id", "green") == 1


def test_explain_reads_manifests_and_names_what_is_wrong(tmp_path):
    folder = tmp_path / "manifests"
    folder.mkdir()
    mapping = ("apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {{name: {0}}}\n"
               "spec: {{hostname: '*', prefix: {1}, service: app{2}}}\n")
    (folder / "good.yaml").write_text(mapping.format("good", "/a/", ""))
    (folder / "bad.yaml").write_text(mapping.format("bad", "/a/b/", ", timeout_ms: soon"))
    done = run("route", "explain", "--manifests", folder, "GET", "http://h/a/b/c", "--json")
    assert done.returncode == 0, done.stderr
    assert [member["route"] for member in json.loads(done.stdout)["members"]] == ["default/good"]
    assert "error: bad.yaml:4:" in done.stderr and "timeout_ms" in done.stderr
    assert "/dex" not in done.stdout
    path = tmp_path / "gatehouse.yaml"
    path.write_text("gateway:\n  routes:\n    - {prefix: /file, service: 'http://app:80'}\n")
    both = run("route", "explain", "-c", path, "--manifests", folder, "GET", "/file/x")
    assert both.returncode == 0 and both.stdout.startswith('Route "/file" '), both.stderr


def test_explain_says_that_nobody_is_asked_unless_an_auth_service_is_there(tmp_path):
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(
        "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: a}\n"
        "spec: {hostname: '*', prefix: /, service: app}\n")

    def explain(*words: str) -> str:
        return run("route", "explain", "--manifests", folder, "GET", "/x", *words).stdout

    assert "Passes without authentication." in explain()
    assert json.loads(explain("--json"))["authenticate"] is False
    (folder / "b.yaml").write_text(
        "apiVersion: getambassador.io/v3alpha1\nkind: AuthService\nmetadata: {name: b}\n"
        "spec: {auth_service: 'auth:80', proto: http}\n")
    assert "Authentication is asked for." in explain()
    assert json.loads(explain("--json"))["authenticate"] is True
