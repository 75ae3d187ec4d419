"""JupyterLab and a real browser for the tests: both local, both with fresh settings, neither talks to a network."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from posekit_lab.source import FOLDER

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[2]
RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
  await window.jupyterapp.commands.execute('notebook:run-all-cells');
  const code = panel.content.widgets.filter(
    w => w.model.type === 'code' && w.model.sharedModel.getSource().trim());
  const unrun = () => code.filter(w => w.model.executionCount === null).length;
  // The command ends at the first error; the kernel's answer comes after the last cell.
  await panel.sessionContext.session.kernel.requestKernelInfo();
  for (let n = 0; n < 50 && unrun(); n++) await new Promise(done => setTimeout(done, 100));
  return {unrun: unrun(),
          errors: code.flatMap(w => w.model.outputs.toJSON())
                      .filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue)};
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """The system's Chromium, driven by Playwright, with a fresh profile; the tests are skipped without either."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip(f"no browser at {CHROMIUM} (on Debian: apt-get install chromium fonts-dejavu)")
    profile = tmp_path_factory.mktemp("profile")
    with playwright.sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(profile), executable_path=CHROMIUM, headless=True, args=FLAGS, viewport={"width": 1280, "height": 1000}
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder, token) of a running JupyterLab that serves a folder; notebooks are put there by the tests."""
    folder, settings = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("settings")
    _write_settings(settings)
    port, token = _free_port(), secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += lab_options()
    command += [
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={token}",
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.user_settings_dir={settings}",
        f"--LabApp.workspaces_dir={settings / 'workspaces'}",
    ]
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    environment |= {"JUPYTER_CONFIG_DIR": str(settings), "JUPYTER_RUNTIME_DIR": str(settings / "runtime")}
    with (settings / "log.txt").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api/status?token={token}", server, settings / "log.txt")
            yield address, folder, token
        finally:
            server.terminate()
            server.wait(20)


def lab_options() -> list[str]:
    """What `make lab` gives to JupyterLab: settings, such as that it asks for no news."""
    settings = re.findall(r"(--LabApp\.\w+=)(\S+)", (ROOT / "Makefile").read_text())
    return [f"{name}{ROOT / folder}" for name, folder in settings]


def _write_settings(folder: Path) -> None:
    """All cells in the page, so that they can be looked for."""
    wanted = {"notebook-extension/tracker": {"windowingMode": "none"}}
    for name, values in wanted.items():
        file = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(address: str, server: subprocess.Popen, log: Path, limit: float = 90) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    server.terminate()
    pytest.fail(f"JupyterLab did not start within {limit} s:\n{log.read_text()[-2000:]}")


@pytest.fixture
def put(lab):
    """Copy a notebook into JupyterLab's folder; returns its name there."""

    def copy(path: Path) -> str:
        _, folder, _ = lab
        shutil.copy(path, folder / path.name)
        shutil.copytree(FOLDER / "images" / "diagrams", folder / "images" / "diagrams", dirs_exist_ok=True)
        return path.name

    return copy


@pytest.fixture
def opened(browser, lab):
    """(name) -> a page with that notebook, all cells run, and the list of the console's errors.

    Run All must reach the last cell; only errors that begin with ``allowed`` may be met on the way.
    """
    address, _, token = lab
    pages = []

    def run(name: str, limit: float = 300, allowed: str | None = None):
        page, messages = browser.new_page(), []
        pages.append(page)
        page.set_default_timeout(limit * 1000)
        page.on("console", lambda m: messages.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(f"{address}/lab/workspaces/auto-{time.time_ns()}/tree/{name}?token={token}&reset")
        page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell").first.wait_for()
        for _ in range(3):  # a click may fall into JupyterLab's own start
            state = page.evaluate(RUN_ALL)
            if not state["unrun"]:
                break
        errors = [e for e in state["errors"] if allowed is None or not e.startswith(allowed)]
        assert {**state, "errors": errors} == {"unrun": 0, "errors": []}
        return page, messages

    yield run
    for page in pages:
        page.close()
