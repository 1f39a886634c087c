#!/usr/bin/env python3
"""deploy/prometheus and deploy/grafana as they are used: a real Prometheus with the rules, on a real cloud and a real edge.

    prometheus.py SOURCES BUILD

Every rule is taken and evaluated, every panel's question is understood, and every figure that either names is one that a cloud or an edge gives.
"""
import http.server, json, pathlib, re, socket, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

SOURCES, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
RULES, BOARD = SOURCES / "deploy/prometheus/fogline.rules.yml", SOURCES / "deploy/grafana/fogline.json"
# Only there once pictures have been audited, which does not happen here; the program's text is looked at instead.
SELDOM = {"fogline_audit_alarm", "fogline_audit_disagreement_high", "fogline_audit_disagreement_low"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, path, **parameters):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
        return json.load(answer)["data"]


def until(what, ready, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = ready()
        except OSError:  # nobody listens yet
            found = None
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"prometheus.py: {what}: not within {seconds} s")


def expressions():
    yield from re.findall(r"^ *expr: (.+)$", RULES.read_text(), re.M)
    for panel in json.loads(BOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def edge_once(folder, broker):
    """What an edge that has sent three pictures leaves in its file of figures."""
    subprocess.run([BUILD / "fogline", "edge", "--broker", broker, "--model", SOURCES / "models/litter.onnx", "--source", SOURCES / "models/demo",
                    "--device", "cam-1", "--mechanism", "edge-only", "--report", "all", "--at", "47.37,8.54", "--count", "3",
                    "--metrics", folder / "edge.prom"], check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("edge.prom*")).read_bytes()


def serve(figures):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(figures)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def check(folder, started):
    mqtt, http_port, prometheus = free_port(), free_port(), free_port()
    (folder / "broker.conf").write_text(f"listener {mqtt} 127.0.0.1\nallow_anonymous true\n")
    broker = f"mqtt://127.0.0.1:{mqtt}"
    started.append(subprocess.Popen(["mosquitto", "-c", folder / "broker.conf"], stderr=subprocess.DEVNULL))
    started.append(subprocess.Popen(
        [BUILD / "fogline", "cloud", "--broker", broker, "--models", SOURCES / "models", "--store", f"sqlite:{folder}/f.db", "--keep", "30d",
         "--publish", "rows", "--http", f"127.0.0.1:{http_port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    figures = edge_once(folder, broker)
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{RULES}']\nscrape_configs:\n"
        f"  - {{job_name: fogline, static_configs: [{{targets: ['127.0.0.1:{http_port}']}}]}}\n"
        f"  - {{job_name: fogline-edge, static_configs: [{{targets: ['127.0.0.1:{serve(figures)}']}}]}}\n")
    started.append(subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                     f"--web.listen-address=127.0.0.1:{prometheus}"], stderr=subprocess.DEVNULL))
    until("both are scraped", lambda: len(ask(prometheus, "/api/v1/query", query="up == 1")["result"]) == 2)
    stored = until("what the edge sent is counted", lambda: ask(prometheus, "/api/v1/query", query="fogline_detections_stored > 0")["result"])
    assert stored[0]["value"][1] == "3", stored

    asked = list(expressions())
    named = set(re.findall(r"fogline_\w+", " ".join(asked))) - SELDOM
    unknown = lambda: named - set(ask(prometheus, "/api/v1/label/__name__/values"))
    until(f"a cloud or an edge has {sorted(unknown())}", lambda: not unknown())
    words = (SOURCES / "src/web/cloud_metrics.cc").read_text()
    assert all(f'"{name}"' in words for name in SELDOM)
    for expr in asked:
        ask(prometheus, "/api/v1/query", query=expr)

    def evaluated():
        groups = ask(prometheus, "/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    rules = until("rules are evaluated", evaluated)
    assert len(rules) == len(re.findall("- alert:", RULES.read_text()))
    bad = [rule for rule in rules if rule["health"] != "ok" or rule["state"] == "firing"]
    assert not bad, bad


def main():
    subprocess.run(["promtool", "test", "rules", pathlib.Path(__file__).parent / "fogline_rules_test.yml"], check=True)
    ids = [panel["id"] for panel in json.loads(BOARD.read_text())["panels"]]
    assert len(ids) == len(set(ids))
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(pathlib.Path(folder), started)
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


main()
