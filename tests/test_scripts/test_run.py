"""What `make run` says before it starts anything."""
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from assistant.errors import SettingsError
from assistant.settings import ROOT, Settings
from scripts.local_services import free_port
from scripts.run import VARIABLES, check_ports, environment


def settings(**env):
    ports = {variable: str(free_port()) for variable in VARIABLES.values()}
    return Settings.from_env({**ports, **env})


def test_a_taken_port_is_named_with_its_setting():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} \\(gateway\\) is taken.*ASSISTANT_PORT"):
            check_ports(settings(ASSISTANT_PORT=str(port)))


def test_all_taken_ports_are_named_at_once():
    with socket.socket() as one, socket.socket() as two:
        for other in (one, two):
            other.bind(("127.0.0.1", 0))
            other.listen()
        with pytest.raises(SettingsError) as caught:
            check_ports(settings(ASSISTANT_PORT=str(one.getsockname()[1]), ASSISTANT_RASA_PORT=str(two.getsockname()[1])))
    assert "gateway" in str(caught.value) and "rasa" in str(caught.value)


def test_the_processes_find_each_other_on_changed_ports():
    given = environment(settings(ASSISTANT_RASA_PORT="6005", ASSISTANT_ACTIONS_PORT="6055", ASSISTANT_STUDIO_PORT="6090"))
    assert given["ASSISTANT_RASA_URL"] == "http://127.0.0.1:6005"
    assert given["ASSISTANT_ACTIONS_URL"] == "http://127.0.0.1:6055"
    assert given["ASSISTANT_MODELS_URL"] == "http://127.0.0.1:6090/models/current"


def test_a_malformed_setting_stops_the_start_in_one_line():
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "scripts.run"], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "ASSISTANT_PORT": "many", "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert done.stderr.strip() == "make run: ASSISTANT_PORT='many': give a whole number from 1 to 65535."


def test_a_process_that_dies_ends_all_and_is_said(tmp_path):
    """The Procfile's own processes with a studio that cannot start: its port is taken after the check."""
    procfile = tmp_path / "Procfile"
    procfile.write_text("one: exec sleep 300\ntwo: exec false\n")
    code = (f"from pathlib import Path; import scripts.run as run; run.PROCFILE = Path({str(procfile)!r}); "
            "run.check_ports = lambda settings: None; raise SystemExit(run.main())")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert "a process ended by itself (two, exit code 1)" in done.stderr


def test_ctrl_c_ends_every_process(tmp_path):
    procfile = tmp_path / "Procfile"
    procfile.write_text("one: exec sleep 301\ntwo: exec sleep 302\n")
    code = (f"from pathlib import Path; import scripts.run as run; run.PROCFILE = Path({str(procfile)!r}); "
            "run.check_ports = lambda settings: None; raise SystemExit(run.main())")
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    end = time.monotonic() + 30
    while time.monotonic() < end and len(_children(process.pid)) < 2:
        time.sleep(0.05)
    children = _children(process.pid)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not [pid for pid in children if os.path.exists(f"/proc/{pid}")]


def _children(pid):
    found = subprocess.run(["pgrep", "-f", "sleep 30[12]"], capture_output=True, text=True).stdout.split()
    return [int(one) for one in found]
