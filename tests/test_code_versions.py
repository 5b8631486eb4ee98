"""Code versions: what computes a table is in the version of its code; a module that it does not call is not."""

import ast
from pathlib import Path

import dagster as dg
import pytest

from pipelines import code_versions
from pipelines.code_versions import computed_by, version_of_module, version_of_pattern
from pipelines.definitions import defs
from pipelines.home import REPOSITORY

TEXT = {
    "assets/estimates/table.py": "from assets.estimates import beside\nfrom pipelines.wiring import model_asset\n",
    "assets/estimates/beside.py": "def f():\n    from pipelines.energy.physics import (\n        g,\n    )\n",
    "assets/estimates/other.py": "import assets.estimates.beside\n",
    "pipelines/energy/physics.py": "g = 1\n",
    "pipelines/wiring.py": "",
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setattr(code_versions, "REPOSITORY", tmp_path)
    for name, text in TEXT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def version_after(repository: Path, edited: str) -> tuple[str, str]:
    """The version of the table's module before and after one file was edited."""
    of = repository / "assets/estimates/table.py"
    before = version_of_module(of)
    file = repository / edited
    file.write_text(file.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    code_versions._digest.cache_clear()
    return before, version_of_module(of)


@pytest.mark.parametrize(
    ("edited", "is_new"),
    [
        ("assets/estimates/table.py", True),
        ("assets/estimates/beside.py", True),
        ("pipelines/energy/physics.py", True),
        ("assets/estimates/other.py", False),
        ("pipelines/wiring.py", False),
    ],
)
def test_an_edit_of_what_a_module_calls_is_a_new_version(repository, edited, is_new):
    before, after = version_after(repository, edited)
    assert (before != after) is is_new


def test_a_pattern_sees_names_and_contents(repository):
    before = version_of_pattern("assets/**/*.py")
    (repository / "assets/estimates/other.py").rename(repository / "assets/estimates/another.py")
    assert version_of_pattern("assets/**/*.py") != before
    assert version_of_pattern("pipelines/*.py") != version_of_pattern("pipelines/energy/*.py")


def test_every_import_of_ours_is_seen():
    for path in sorted((REPOSITORY / "assets").rglob("*.py")):
        tree = ast.parse(path.read_bytes())
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        ours = {name for name in modules if name.split(".")[0] in ("assets", "pipelines")}
        assert ours <= set(code_versions._names(path.read_text(encoding="utf-8"))), path


def test_what_estimates_are_computed_by_is_in_the_version_of_their_code():
    for table, module in {
        "energy_per_query": "assets/estimates/serving_estimates.py",
        "blends": "assets/estimates/profile.py",
        "backtest": "assets/estimates/serving.py",
    }.items():
        own = REPOSITORY / "assets" / "estimates" / f"{table}.py"
        assert REPOSITORY / module in computed_by(own)
        node = defs.resolve_asset_graph().get(dg.AssetKey(["estimates", table]))
        assert node.code_version == version_of_module(own)
