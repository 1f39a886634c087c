#!/usr/bin/env bash
# deploy/ keeps its promises: images from scratch and without root, every container read-only with limits and a health check,
# only the broker published beyond loopback, units that systemd takes and rates as well confined. A tool that is not here is
# said, and its part left out.
set -euo pipefail
cd "$1"
failed=0
complain() { echo "$*"; failed=1; }
without() { command -v "$1" >/dev/null && return 1; echo "skipped: $2 ($1 is not installed)"; }

dockerfile=deploy/docker/Dockerfile
while read -r stage; do
  body=$(sed -n "/^FROM scratch AS $stage\$/,/^FROM /p" $dockerfile)
  grep -q '^USER [1-9]' <<<"$body" || complain "$dockerfile: $stage runs as root"
  grep -q '^ENTRYPOINT' <<<"$body" || complain "$dockerfile: $stage has no entry point"
done < <(sed -n 's/^FROM scratch AS //p' $dockerfile)
[ "$(grep -c '^FROM scratch AS' $dockerfile)" = 3 ] || complain "$dockerfile: expected three images from scratch"
while read -r path; do [ -e "$path" ] || complain "$dockerfile: $path is not there"; done < <(
  sed -n 's/^COPY \(deploy[^ ]*\) .*/\1/p' $dockerfile)

# What the cloud takes the broker lets through: docs/cli.md is kept equal to the binary.
frame=$(sed -n 's/^  --max-frame .*=\([0-9]*\).*/\1/p' docs/cli.md)
packet=$(sed -n 's/^max_packet_size //p' deploy/mosquitto/mosquitto.conf)
[ "${packet:-0}" -ge $((${frame:-0} + 1024)) ] ||
  complain "deploy/mosquitto: packets of ${packet:-no limit} bytes hold no frame of --max-frame ${frame:-(not found)}"
grep -rn -e '--max-frame' deploy/systemd deploy/docker && complain "deploy: --max-frame is not the one of mosquitto.conf"

compose=deploy/docker/compose.yaml
if ! python3 -c 'import yaml' 2>/dev/null; then
  echo "skipped: $compose (python3-yaml is not installed)"
else
  python3 - "$compose" $dockerfile <<'PYTHON' || failed=1
import sys, yaml
services = yaml.safe_load(open(sys.argv[1]))["services"]
images = open(sys.argv[2]).read().split("\nFROM ")
checked = {stage.split()[2] for stage in images if "HEALTHCHECK" in stage}
bad = []
def expect(fine, what):
    if not fine: bad.append(f"{sys.argv[1]}: {name}: {what}")
for name in ("broker", "store", "cloud", "map", "edge"):
    service = services.get(name, {})
    expect(str(service.get("user", "0"))[:1] != "0", "runs as root")
    expect(service.get("read_only") is True, "may write its root file system")
    expect(service.get("cap_drop") == ["ALL"], "keeps capabilities")
    expect("no-new-privileges:true" in service.get("security_opt", []), "may gain privileges")
    expect("mem_limit" in service and "pids_limit" in service, "has no limits")
    expect("healthcheck" in service or name in checked, "has no health check")
    expect(not service.get("privileged"), "is privileged")
    for port in service.get("ports", []):
        expect(name == "broker" or port.startswith("127.0.0.1:"), f"publishes {port} beyond loopback")
    for volume in service.get("volumes", []):
        expect("ca.key" not in volume and "keys:" not in volume, f"sees {volume}")
expect(services["store"]["networks"] == ["back"], "Redis is on a network with others")
print("\n".join(bad))
sys.exit(bool(bad))
PYTHON
fi
without docker-compose "docker-compose config" || FOGLINE_UID=1000 docker-compose -f $compose config -q || failed=1

if ! without systemd-analyze "systemd units"; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  for unit in deploy/systemd/*.service; do
    # The binary is not installed where this runs.
    sed 's#^ExecStart=/usr/bin/fogline#ExecStart=/bin/true#' "$unit" >"$scratch/$(basename "$unit")"
    problems=$(systemd-analyze verify "$scratch/$(basename "$unit")" 2>&1 | grep "$(basename "$unit")" || true)
    [ -z "$problems" ] || complain "$problems"
    # Of 100: below 20 systemd calls it well confined.
    systemd-analyze security --offline=yes --no-pager --threshold=20 "$scratch/$(basename "$unit")" | tail -n 1 ||
      complain "$unit: is confined less than it was"
  done
fi

without shellcheck "shell scripts" || shellcheck -e SC2016 deploy/docker/collect scripts/{setup,engine,check,fuzz,package} \
  tests/deploy/*.sh tests/house/*.sh || failed=1
exit $failed
