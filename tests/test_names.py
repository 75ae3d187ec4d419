"""Names: each public one has one home, and every name and path that prose, headers and files mention is there."""

import ast
import importlib
import io
import pkgutil
import re
import subprocess
import sys
import tokenize
from collections import defaultdict

import pytest

import posekit
from tests.test_imports import HOMES, MODULES, ROOT

ENTRY_POINTS = {"main", "setup"}  # every program has one; Sphinx calls the other
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
PROSE = [f for f in TRACKED if f.endswith((".py", ".md", ".yaml", ".yml", ".toml", "Makefile", ".pyi"))]


def definitions(tree: ast.Module) -> list[str]:
    """Public functions and classes of a module."""
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]


def test_a_public_name_has_one_home():
    homes = defaultdict(list)
    for module, tree in TREES.items():
        for name in definitions(tree):
            homes[name].append(module)
    assert {name: found for name, found in homes.items() if len(found) > 1 and name not in ENTRY_POINTS} == {}


@pytest.mark.skipif(not TRACKED, reason="not a git checkout")
def test_what_only_its_own_file_uses_begins_with_an_underscore():
    words = {file: set(re.findall(r"\w+", (ROOT / file).read_text(encoding="utf-8"))) for file in PROSE}
    alone = []
    for module, tree in TREES.items():
        own = MODULES[module].relative_to(ROOT).as_posix()
        for node in tree.body:
            public = (
                isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in ENTRY_POINTS
            )
            if public and not any(node.name in others for file, others in words.items() if file != own):
                alone.append(f"{module}.{node.name}")
    assert alone == []


@pytest.mark.parametrize("module", MODULES)
def test_no_function_is_called_as_a_module_beside_it(module):
    folder, own = MODULES[module].parent, MODULES[module].stem
    beside = {p.stem for p in folder.glob("*.py")} | {p.name for p in folder.iterdir() if p.is_dir()}
    assert not set(definitions(TREES[module])) & (beside - {own})


def test_lazy_names_are_what_they_say():
    """Also after the command line, which has modules called transfer, train and evaluate, was imported."""
    importlib.import_module("posekit.cli.app")
    modules = {name for _, name, _ in pkgutil.iter_modules(posekit.__path__)}
    assert not modules & set(posekit.__all__)
    assert 30 <= len(posekit.__all__) <= 50
    for name in posekit.__all__:
        thing = getattr(posekit, name)
        assert callable(thing), f"posekit.{name} is not what it was exported for"
        assert thing.__name__ == name
    assert set(posekit.__all__) <= set(dir(posekit))


def test_importing_posekit_loads_nothing_heavy():
    code = "import sys, posekit; assert not {'torch', 'matplotlib', 'numba'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


CODE = sorted({*MODULES.values(), *(ROOT / "notebooks" / "src").glob("*.py"), *(ROOT / "data_scripts").glob("*.py")})


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_name_that_says_nothing(path):
    """No variable is called found, and no parameter like a builtin that the code around it uses."""
    text = path.read_text(encoding="utf-8")
    names = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.NAME]
    assert "found" not in names
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arguments):
            assert not {"set", "map"} & {a.arg for a in (*node.posonlyargs, *node.args, *node.kwonlyargs)}


# -------------------------------------------------------------------------------------------- names and paths in prose

MODULE = re.compile(r"(?<![\w./-])(posekit(?:_lab|_course)?(?:\.[A-Za-z_]\w*)+)(:[A-Za-z_]\w*)?")
PLACE = re.compile(
    r"(?<![\w./~{-])((?:posekit|notebooks|experiments|data_scripts|tests|benchmarks|docs)/[\w./-]*\w)(?![\w*{])"
)
# an entry-point group, a type of display data, the style of the site
NOT_OURS = {"posekit.egg-info", "posekit.code", "posekit.record", "posekit.css"}
NOT_EVERYWHERE = ("triton", "docutils", "latex2mathml", "pptx")  # packages: the kernel of a GPU, the site, the slides


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module of ours, or an attribute in one."""
    parts = dotted.split(".")
    for n in range(len(parts), 0, -1):
        place = HOMES[parts[0]].joinpath(*parts[1:n])
        if place.with_suffix(".py").is_file() or place.is_dir():
            try:
                thing = importlib.import_module(".".join(parts[:n]))
            except ModuleNotFoundError as error:
                return error.name in NOT_EVERYWHERE and len(parts) == n
            for name in parts[n:]:
                if not hasattr(thing, name):
                    return False
                thing = getattr(thing, name)
            return True
    return False


@pytest.mark.skipif(not TRACKED, reason="not a git checkout")
@pytest.mark.parametrize("file", PROSE)
def test_every_name_of_ours_resolves(file):
    """Docstrings, comments in YAML, headers of notebooks (`warm_up: ...`), pages."""
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.startswith("tests/test_"):  # these speak of wrong names on purpose
        return
    named = {(m[1] + m[2].replace(":", ".") if m[2] else m[1]).rstrip(".") for m in MODULE.finditer(text)}
    wrong = [n for n in named if not any(n.startswith(x) for x in NOT_OURS) and not resolves(n)]
    assert wrong == []


@pytest.mark.skipif(not TRACKED, reason="not a git checkout")
@pytest.mark.parametrize("file", [f for f in PROSE if f.endswith((".md", ".yaml", ".toml", "Makefile", ".py"))])
def test_every_path_of_ours_exists(file):
    if file.startswith("tests/"):  # their fixtures make files of their own
        return
    text = (ROOT / file).read_text(encoding="utf-8")
    wrong = [place for place in PLACE.findall(text) if not list(ROOT.glob(place)) and "NN_" not in place]
    assert [place for place in wrong if "NAME" not in place and "/tmp" not in place] == []


@pytest.mark.parametrize("file", [f for f in TRACKED if f.endswith(".md")])
def test_every_link_leads_somewhere(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", text):
        assert (ROOT / file).parent.joinpath(target).exists(), f"{file} links to {target}"
