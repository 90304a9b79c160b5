"""docs/operate.md, run as it is written in an empty folder, against a local chain."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from marketplace.error_codes import known_errors
from tests.walkthrough.test_readme import free_port, run_to_its_end

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8")


def test_every_code_and_file_that_the_page_names_exists():
    codes = {known.code for known in known_errors() if known.retired is None}
    assert set(re.findall(r"E\d{4}", PAGE)) <= codes
    for place in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / place).is_file(), place


@pytest.mark.parametrize("file", ["cairn-aggregator@.service", "compose.yaml", "Dockerfile"])
def test_services_end_by_sigterm_with_time_for_a_proof_and_hold_no_secret(file):
    text = (ROOT / "docs" / "service" / file).read_text("utf-8")
    assert "untested" in PAGE
    assert not re.search(r"pass(word|phrase)\s*[:=]", text)
    assert file == "Dockerfile" or ("SIGTERM" in text and re.search(r"15\s?m", text))


@pytest.mark.slow
def test_the_page_leads_from_an_empty_folder_to_a_running_aggregator(tmp_path):
    chain, metrics = free_port(), free_port()
    script = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
    script = script.replace("127.0.0.1:8545", f"127.0.0.1:{chain}").replace("9464", str(metrics))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAIRN_")} | {"PATH": path}
    command = [sys.executable, "-c", "from marketplace.cli import main; main()", "devnet", "--port", str(chain)]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert served.stdout is not None
        while "Ctrl-C" not in served.stdout.readline():
            assert served.poll() is None
        status, said = run_to_its_end(["bash", "-e", "-c", script], tmp_path, environment)
    finally:
        served.terminate()
        served.communicate()
    assert status == 0, said
    assert "10 checks, 0 failed" in said
    assert '{"status": "ok", "reason": null}' in said
    assert "Stopped aggregator-1-" in said
    assert 'cairn_ready{job="1",role="aggregator"} 1.0' in said
    assert "Traceback" not in said
    [log] = (tmp_path / "hub" / "logs").glob("aggregator-1-*.jsonl")
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert (events[0], events[-1]) == ("started", "stopped")
