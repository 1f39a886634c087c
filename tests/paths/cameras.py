"""docs/cameras.md, line by line: cameras.py SOURCE BUILD. The RTSP camera is a real server on loopback, the one on USB a video."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from page import Reader, free_port, until

def follow(reader):
    reader.environment["BROKER_PORT"] = str(broker)
    reader.start(["/usr/bin/python3", Path(source, "tests/line/rtsp_server.py"), camera, "viewer:pa55word"])
    said = reader.read()
    route = "--route litter@160:split7/q3"
    assert said.count(route) >= 2, f"the plan does not say {route}:\n{said}"

    def stored():
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/api/fleet") as answer:
            return {row["name"] for row in json.load(answer)["devices"]}

    until(lambda: stored() >= {"porch", "yard"}, "both cameras on the fleet's page")
    log = (reader.root / "logs/fogline-cameras").read_text()
    assert "pa55word" not in log, log
    until((reader.root / "var/lib/fogline-cameras/edge.prom").exists, "figures for Prometheus")


source, build = sys.argv[1:3]
camera, broker, http = free_port(), free_port(), free_port()
with tempfile.TemporaryDirectory() as folder:
    video = f"{folder}/usb.mp4"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=640x480:rate=5:duration=60", video],
                   check=True)
    instead = {
        "camera.example": f"127.0.0.1:{camera}",
        "/dev/video0": video,
        "--broker broker.example": "--broker localhost",
        "mqtts://broker.example": f"mqtts://localhost:{broker}",
        "127.0.0.1:8080": f"127.0.0.1:{http}",
    }
    with Reader(source, build, "docs/cameras.md", instead) as reader:
        follow(reader)
