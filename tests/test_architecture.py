"""What docs/architecture.md promises of the repository as a whole."""
import ast
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from assistant.safety.registry_check import number_elsewhere
from assistant.settings import ROOT, SECRET_VARIABLES, Settings

PACKAGES = ("assistant", "addons", "actions", "gateway", "studio")
# What a package may import besides the standard library, other libraries, itself and `assistant`.
FRAMEWORKS = {"addons": {"rasa", "sanic"}, "actions": {"rasa_sdk"}, "gateway": {"sanic"}, "studio": {"sanic"}, "assistant": set()}
# studio/lab.py runs in a process of its own beside the studio, and holds a model there.
HOLDS_A_MODEL = ROOT / "studio" / "lab.py"
LONGEST_MODULE = 350


def tracked():
    """Return the files that git follows."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def modules(*folders):
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def imported(path):
    """Return the top names that a module imports, wherever in it, with their lines."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(name.name.split(".")[0], node.lineno) for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add((node.module.split(".")[0], node.lineno))
    return found


def shown(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package):
    ours = {*PACKAGES, "benchmarks", "scripts", "tests"} - {package, "assistant"}
    frameworks = {"rasa", "rasa_sdk", "sanic"} - FRAMEWORKS[package]
    paths = modules(package)
    assert paths
    wrong = [
        f"{shown(path)}:{line} imports {name}"
        for path in paths for name, line in sorted(imported(path))
        if name in ours or (name in frameworks and path != HOLDS_A_MODEL)
    ]
    assert wrong == []


def test_modules_stay_short():
    long = {shown(path): count for path in modules(*PACKAGES, "benchmarks", "scripts")
            if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE}
    assert long == {}


def test_test_folders_never_shadow_a_package():
    folders = {path.relative_to(ROOT).parts[1] for path in tracked() if path.relative_to(ROOT).parts[0] == "tests"}
    assert not folders & {*PACKAGES, "benchmarks", "scripts", "widget"}


def test_telephone_numbers_stand_in_the_registry_alone():
    assert [problem.text for problem in number_elsewhere(ROOT)] == []


# Addresses of package indexes, and paths of one person's or one machine's folders.
BOUND_TO_A_PLACE = re.compile(
    r"--index-url|--extra-index-url|\bindex-url\s*=|registry\.npmjs|\bregistry\s*=\s*[\"']?http|https?://[^\s\"')]*/simple\b"
    r"|(?<![\w.])/(?:work|root|Users)/\w|/home/(?!\w*[<{$])\w+/"
)


def test_nothing_is_bound_to_one_machine_or_package_index():
    wrong = []
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        wrong += [f"{shown(path)}:{number}: {found.group()}" for number, line in enumerate(lines, 1)
                  if (found := BOUND_TO_A_PLACE.search(line)) and "--no-emit-index-url" not in line]
    assert wrong == []


def test_make_targets_and_readme_name_the_same_commands():
    makefile, readme = (ROOT / "Makefile").read_text(), (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    assert {"run", "test", "setup", "train", "check", "evaluate", "benchmark-speed"} <= targets
    code = " ".join(re.findall(r"`[^`\n]+`|```.*?```", readme, re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert targets - named == {"help"} - named, "the README does not name these"
    assert named <= targets, "there are no such targets"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", *sorted(shown(path) for path in (ROOT / "docs").glob("*.md"))])
def test_documents_name_only_commands_that_exist(name):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / name).read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`[^`\n]+`|```.*?```", text, re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets
    scripts = set(re.findall(r"python -m ((?:scripts|benchmarks|assistant|gateway|studio)[\w.]*)", code))
    missing = [module for module in scripts if not any(
        (ROOT / module.replace(".", "/")).with_suffix(".py").is_file() or (ROOT / module.replace(".", "/") / name).is_file()
        for name in ("__main__.py",))]
    assert missing == []


def settings():
    """Return every variable of the project."""
    return {item.metadata["variable"] for item in fields(Settings)} | SECRET_VARIABLES


def test_settings_and_operations_document_name_the_same_variables():
    documented = set(re.findall(r"`(ASSISTANT_[A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text()))
    channels = set(re.findall(r"`(ASSISTANT_[A-Z_]+)`", (ROOT / "docs" / "channels.md").read_text()))
    assert settings() - documented - channels == set(), "docs/operations.md and docs/channels.md do not name these"
    assert documented - settings() == set(), "there are no such settings"


def test_every_default_in_the_operations_document_is_the_code_s():
    rows = re.findall(r"^\| `(ASSISTANT_[A-Z_]+)` \| `([^`]*)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    defaults = {item.metadata["variable"]: item.metadata["default"] for item in fields(Settings)}
    assert len(rows) > 10
    assert {name: value for name, value in rows if defaults.get(name) != value} == {}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *sorted(shown(path) for path in (ROOT / "docs").glob("*.md"))])
def test_links_between_documents_lead_somewhere(name):
    document = ROOT / name
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    broken = [target for target in targets if "://" not in target and not target.startswith("mailto:")
              and not (document.parent / target).exists()]
    assert broken == []


def test_domain_holds_names_and_no_answers():
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    assert "responses" not in domain


def test_configuration_names_only_components_that_exist():
    config = yaml.safe_load((ROOT / "config.yml").read_text())
    for item in (*config["importers"], *config["pipeline"], *config["policies"]):
        module, _, name = item["name"].rpartition(".")
        if module:
            path = ROOT / (module.replace(".", "/") + ".py")
            assert any(isinstance(node, ast.ClassDef) and node.name == name for node in ast.parse(path.read_text()).body), item["name"]
