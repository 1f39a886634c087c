"""A page's commands, run as one reader would type them, with stand-ins for what no test has.

Blocks ```sh are run in order, each in the folder of its machine: a comment `<!-- on: NAME -->` before a block names it. Whatever
lies in a stand-in's folder of programs comes before the system's own: sudo, apt-get, scp, systemctl. Places of the system
(/etc/fogline, /usr/share/fogline, /var/lib) are folders of the test's.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- on: (\S+) -->\n)?```sh\n(.*?)```\n", re.S)

# Programs that a test must not run, or cannot.
STAND_INS = {
    "sudo": 'exec "$@"',
    "apt-get": "exit 0",
    # Without -o: who owns a file is root's to say.
    "install": 'words=(); while [ $# -gt 0 ]; do if [ "$1" = -o ]; then shift; else words+=("$1"); fi; shift; done; '
    'exec /usr/bin/install "${words[@]}"',
    # scp FILE… MACHINE: copies into that machine's folder.
    "scp": 'for to; do :; done; mkdir -p "$ROOT/machines/${to%:}"; exec cp "${@:1:$#-1}" "$ROOT/machines/${to%:}/"',
    "systemctl": 'exec "$PYTHON" "$HERE/page.py" systemctl "$@"',
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, what, most=60):
    """Waits for a condition; the seconds are for a test that hangs, not for one that is slow."""
    end = time.monotonic() + most
    while not (value := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"never: {what}")
        time.sleep(0.05)
    return value


class Reader:
    """One who follows a page. `instead` maps what the page says to what stands in for it."""

    def __init__(self, source, build, page, instead):
        self.source, self.build = Path(source), Path(build)
        self.page = (self.source / page).read_text(encoding="utf-8")
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.root = Path(self.folder.name)
        self.started, self.said = [], list(instead)
        places = {
            "/etc/fogline": self.root / "etc/fogline",
            "/etc/mosquitto": self.root / "etc/mosquitto",
            "/var/lib": self.root / "var/lib",
            "/usr/share/fogline/deploy": self.source / "deploy",
            "/usr/share/fogline": self.source,
            "/usr/bin/fogline": self.build / "fogline",
        }
        self.instead = {**{k: str(v) for k, v in places.items()}, **instead}
        (self.root / "etc/mosquitto/conf.d").mkdir(parents=True)
        programs = self.root / "programs"
        programs.mkdir()
        for name, script in STAND_INS.items():
            (programs / name).write_text("#!/bin/bash\n" + script + "\n")
            (programs / name).chmod(0o755)
        (programs / "fogline").symlink_to(self.build / "fogline")
        self.environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ROOT": str(self.root),
            "HERE": str(Path(__file__).parent),
            "PYTHON": sys.executable,
            "INSTEAD": "\n".join(f"{a}\t{b}" for a, b in self.instead.items()),
            "UNITS": str(self.source / "deploy/systemd"),
        }

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in self.started:
            process.kill()
            process.wait()
        for pid in self.root.glob("pids/*"):
            try:
                os.killpg(int(pid.name), signal.SIGKILL)
            except ProcessLookupError:
                pass
        if kind is not None:
            for log in sorted(self.root.glob("logs/*")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        self.folder.cleanup()

    def start(self, command):
        """A stand-in that runs beside; it says "ready"."""
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
        self.started.append(process)
        if process.stdout.readline() != b"ready\n":
            raise SystemExit(f"{command[0]} does not begin")

    def read(self):
        """Runs the page; the output of all its blocks."""
        blocks = BLOCK.findall(self.page)
        if not blocks:
            raise SystemExit("no commands found: the check is blind")
        for said in self.said:
            if said not in self.page:
                raise SystemExit(f"the page does not say '{said}', for which there is a stand-in")
        output = ""
        for machine, commands in blocks:
            output += self.run(commands, machine or "home")
        return output

    def run(self, commands, machine):
        folder = self.root / "machines" / machine
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "fogline_0.0.0_all.deb").touch()
        # Into a file: what goes on in the background would hold a pipe open.
        said = self.root / "said"
        with said.open("w") as out:
            shell = subprocess.Popen(["bash", "-euo", "pipefail", "-c", replaced(commands, self.instead)], cwd=folder,
                                     env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     start_new_session=True)
            (self.root / "pids").mkdir(exist_ok=True)
            (self.root / "pids" / str(shell.pid)).touch()
            status = shell.wait()
        if status != 0:
            raise SystemExit(f"on {machine}:\n{commands}\nfailed with {status}: {said.read_text()}")
        return said.read_text()


def replaced(text, instead):
    for said in sorted(instead, key=len, reverse=True):
        text = text.replace(said, instead[said])
    return text


def systemctl(words):
    """enable --now UNIT and restart UNIT: starts what the unit starts, with its variables and credentials."""
    root = Path(os.environ["ROOT"])
    instead = dict(line.split("\t") for line in os.environ["INSTEAD"].splitlines())
    name = words[-1]
    for folder in ("logs", "pids"):
        (root / folder).mkdir(exist_ok=True)
    state = root / "var/lib" / name
    state.mkdir(parents=True, exist_ok=True)
    variables = {}
    if name == "mosquitto":
        config = root / "etc/mosquitto/conf.d/fogline.conf"
        own = state / "mosquitto.conf"
        own.write_text(replaced(config.read_text(), {**instead, "listener 8883": f"listener {os.environ['BROKER_PORT']} 127.0.0.1"}) +
                       f"\nuser {os.environ.get('USER') or 'root'}\n")
        command = ["mosquitto", "-c", str(own)]
    else:
        unit = (Path(os.environ["UNITS"]) / f"{name}.service").read_text()
        fields = lambda key: re.findall(rf"^{key}=(.*)$", unit, re.M)  # noqa: E731
        credentials = state / "credentials"
        credentials.mkdir(exist_ok=True)
        for credential in fields("LoadCredential"):
            to, path = credential.split(":")
            path = Path(replaced(path, instead))
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                target = credentials / (f"{to}_{file.name}" if path.is_dir() else to)
                target.write_bytes(file.read_bytes())
        for line in fields("Environment"):
            variables.update(word.split("=", 1) for word in shlex.split(line))
        for file in fields("EnvironmentFile"):
            file = Path(replaced(file.removeprefix("-"), instead))
            lines = file.read_text().splitlines()
            variables.update(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        command = []
        for word in shlex.split(replaced(fields("ExecStart")[0], instead)):
            # A variable that is a word by itself becomes as many words as it holds.
            command += shlex.split(variables[word[1:]]) if word.startswith("$") else [word.replace("%d", str(credentials))]
    log = (root / "logs" / name).open("w")
    process = subprocess.Popen(command, cwd=state, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, start_new_session=True)
    (root / "pids" / str(process.pid)).touch()  # its group's, too


if __name__ == "__main__" and sys.argv[1:2] == ["systemctl"]:
    systemctl(sys.argv[2:])
